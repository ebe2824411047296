package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/internal/client"
	"github.com/honua-io/honua-gitops/internal/config"
	"github.com/honua-io/honua-gitops/internal/tlsfiles"
)

// expiresSoon is from when on a certificate is worth a warning.
const expiresSoon = 30 * day

func (d *doctor) checkCertificates() {
	role := tlsfiles.ServerRole(d.config.Cluster.Name)
	d.checkCertificate("Cluster.Tls", d.config.Cluster.TLS, role)
	d.checkCertificate("Api.Tls", d.config.API.TLS, "")
}

// checkCertificate loads the files as the server does: with a role, one that other nodes accept.
func (d *doctor) checkCertificate(key string, files config.TLS, role string) {
	if !files.Enabled() {
		return
	}
	source, err := tlsfiles.Open(tlsfiles.Config{
		Files: tlsfiles.Files{CAFile: files.CAFile, CertFile: files.CertFile, KeyFile: files.KeyFile}, Role: role, Now: func() time.Time { return d.now },
	})
	if err != nil {
		d.wrong(key, "cannot be used: %v", err)
		return
	}
	if left := source.NotAfter().Sub(d.now); left < expiresSoon {
		d.weak(key+".CertFile", "%s expires in %d days; make another one with: honua tls server", files.CertFile, int(left/day))
	}
	for _, ca := range certificatesIn(files.CAFile) {
		if left := ca.NotAfter.Sub(d.now); left < expiresSoon {
			d.weak(key+".CaFile", "the authority %q expires in %d days; add its successor to %s before you use that one's certificates", ca.Subject.CommonName, int(left/day), files.CAFile)
		}
	}
}

// certificatesIn are those of a PEM file that was loaded already.
func certificatesIn(path string) []*x509.Certificate {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var found []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
			found = append(found, cert)
		}
	}
	return found
}

// Clocks are compared by the Date of an answer, which has whole seconds. Above
// 5 s a leader takes no time-based decision.
const (
	clockTimeout   = time.Second
	clockTolerance = 2 * time.Second
)

// checkClocks asks the other nodes that can be reached for the time.
func (d *doctor) checkClocks(ctx context.Context) {
	_, port, err := net.SplitHostPort(d.config.API.HTTPAddress)
	if err != nil {
		return
	}
	scheme, asker := "http://", &http.Client{Timeout: clockTimeout}
	if d.config.API.TLS.Enabled() {
		secured, err := client.LoadTLS(d.config.API.TLS.CAFile, "", "")
		if err != nil {
			return
		}
		if secured == nil {
			secured = &tls.Config{MinVersion: tls.VersionTLS13}
		}
		scheme, asker.Transport = "https://", &http.Transport{TLSClientConfig: secured, DisableKeepAlives: true}
	}
	for _, host := range d.hosts() {
		d.checkClock(ctx, asker, scheme+net.JoinHostPort(strings.Trim(host, "[]"), port)+"/health/live", host)
	}
}

func (d *doctor) checkClock(ctx context.Context, asker *http.Client, url, host string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	answer, err := asker.Do(request)
	if err != nil {
		return // it may not run yet
	}
	answer.Body.Close()
	theirs, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return
	}
	if apart := time.Since(theirs).Abs(); apart > clockTolerance {
		d.weak("Cluster.Join", "the clock of %s is %s apart from this machine's; have both follow NTP: above 5s a leader decides nothing that depends on time", host, apart.Round(time.Second))
	}
}
