package gitsync

import "strings"

// Redact returns a repository address fit for logs, errors and API answers: without user
// information, query and fragment. Text that looks like an address but cannot be taken apart
// safely is replaced altogether.
func Redact(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return redactSCP(address)
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	authority, path, hasPath := strings.Cut(rest, "/")
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	if !plainAuthority(authority) {
		return scheme + "://" + redacted
	}
	if hasPath {
		return scheme + "://" + authority + "/" + path
	}
	return scheme + "://" + authority
}

// redactSCP removes the user from user@host:path.
func redactSCP(address string) string {
	authority, path, ok := strings.Cut(address, ":")
	if !ok || strings.Contains(authority, "/") {
		return address
	}
	if strings.Contains(path, "@") { // user:password@host, without a scheme
		return redacted
	}
	return authority[strings.LastIndexByte(authority, '@')+1:] + ":" + path
}

// plainAuthority reports whether authority is a host with an optional numeric port: a
// secret with a '/' in it would otherwise be taken for one.
func plainAuthority(authority string) bool {
	if strings.HasPrefix(authority, "[") { // IPv6
		return true
	}
	_, port, ok := strings.Cut(authority, ":")
	if !ok {
		return true
	}
	return strings.Trim(port, "0123456789") == ""
}
