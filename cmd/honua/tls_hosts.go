package main

import (
	"fmt"
	"net"
	"regexp"
)

// hostNames checks what a node's certificate is to be known by. The names of
// roles are not among them: a flag must not make a node of another cluster.
func hostNames(dns, ips []string) ([]string, error) {
	name := regexp.MustCompile(`^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`)
	for _, host := range dns {
		if !name.MatchString(host) || len(host) > 253 || net.ParseIP(host) != nil {
			return nil, fmt.Errorf("--dns %q is not a name; addresses go with --ip", host)
		}
		if regexp.MustCompile(`(?i)\.honua$`).MatchString(host) {
			return nil, fmt.Errorf("--dns %q: names under .honua are roles; the node's own is there already", host)
		}
	}
	for _, ip := range ips {
		if net.ParseIP(ip) == nil {
			return nil, fmt.Errorf("--ip %q is not an address", ip)
		}
	}
	return append(append([]string{}, dns...), ips...), nil
}
