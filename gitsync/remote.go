package gitsync

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
)

// remote is a parsed repository address.
type remote struct {
	scheme string // "file", "http", "https" or "ssh"
	// path is the directory for file, the repository's path for ssh.
	path string
	// base is the repository's address for http and https, without user information.
	base *url.URL
	// user and address ("host:port") are for ssh.
	user, address string
	// login is the user information of an http address.
	login *url.Userinfo
}

const urlForms = "use https://host/path, ssh://user@host/path, git@host:path or file:///absolute/path"

// parseRemote understands the forms of GitOps.RepositoryUrl. Its errors are ErrConfig,
// hold no secret and say what to write instead.
func parseRemote(text string) (remote, error) {
	if text == "" {
		return remote{}, fmt.Errorf("%w: no repository URL; %s", ErrConfig, urlForms)
	}
	if strings.ContainsFunc(text, isControl) || strings.HasPrefix(text, "-") {
		return remote{}, fmt.Errorf("%w: the repository URL holds a control character or begins with '-'", ErrConfig)
	}
	if !strings.Contains(text, "://") {
		return parseSCP(text)
	}
	parsed, err := url.Parse(text)
	if err != nil {
		return remote{}, fmt.Errorf("%w: %s is not a URL; %s", ErrConfig, Redact(text), urlForms)
	}
	if parsed.RawQuery != "" || parsed.Fragment != "" || parsed.ForceQuery {
		return remote{}, fmt.Errorf("%w: the repository URL %s must not have a query or fragment; put a token into GitOps.Credentials.Password",
			ErrConfig, Redact(text))
	}
	switch strings.ToLower(parsed.Scheme) {
	case "file":
		return parseFile(parsed)
	case "http", "https":
		return parseHTTP(parsed)
	case "ssh", "git+ssh", "ssh+git":
		return parseSSH(parsed)
	}
	return remote{}, fmt.Errorf("%w: scheme %q of the repository URL is not supported; %s", ErrConfig, parsed.Scheme, urlForms)
}

func parseFile(u *url.URL) (remote, error) {
	if u.User != nil || (u.Host != "" && u.Host != "localhost") {
		return remote{}, fmt.Errorf("%w: %s names a host; write file:///absolute/path", ErrConfig, Redact(u.String()))
	}
	path := filepath.FromSlash(u.Path)
	if !filepath.IsAbs(path) {
		return remote{}, fmt.Errorf("%w: %s is not absolute; write file:///absolute/path", ErrConfig, Redact(u.String()))
	}
	return remote{scheme: "file", path: filepath.Clean(path)}, nil
}

func parseHTTP(u *url.URL) (remote, error) {
	if u.Hostname() == "" {
		return remote{}, fmt.Errorf("%w: %s names no host; %s", ErrConfig, Redact(u.String()), urlForms)
	}
	base := *u
	base.User = nil
	base.Scheme = strings.ToLower(base.Scheme)
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawPath = strings.TrimRight(base.RawPath, "/")
	return remote{scheme: base.Scheme, base: &base, login: u.User}, nil
}

func parseSSH(u *url.URL) (remote, error) {
	path := u.Path
	if strings.HasPrefix(path, "/~") { // relative to a home directory on the server
		path = path[1:]
	}
	if _, hasPassword := u.User.Password(); hasPassword {
		return remote{}, fmt.Errorf("%w: %s holds a password; use GitOps.Credentials.SshKeyFile", ErrConfig, Redact(u.String()))
	}
	return sshRemote(u.User.Username(), u.Hostname(), u.Port(), path)
}

// parseSCP understands [user@]host:path.
func parseSCP(text string) (remote, error) {
	authority, path, ok := strings.Cut(text, ":")
	if !ok || strings.Contains(authority, "/") || len(authority) < 2 {
		return remote{}, fmt.Errorf("%w: %q is not a repository URL; %s", ErrConfig, Redact(text), remedyFor(text))
	}
	user, host, ok := strings.Cut(authority, "@")
	if !ok {
		user, host = "", authority
	}
	return sshRemote(user, host, "", path)
}

func remedyFor(text string) string {
	if abs, err := filepath.Abs(text); err == nil && !strings.ContainsAny(text, "@:") {
		return fmt.Sprintf("for a directory write file://%s", filepath.ToSlash(abs))
	}
	return urlForms
}

func sshRemote(user, host, port, path string) (remote, error) {
	if host == "" || path == "" || path == "/" || strings.HasPrefix(host, "-") {
		return remote{}, fmt.Errorf("%w: the SSH address needs a host and a path; %s", ErrConfig, urlForms)
	}
	if user == "" {
		user = "git"
	}
	if port == "" {
		port = "22"
	}
	return remote{scheme: "ssh", user: user, address: net.JoinHostPort(host, port), path: path}, nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// withLogin returns the credentials with those of the URL where there are no others.
func (r remote) withLogin(s secrets) secrets {
	if r.login == nil || s.username != "" || s.password != "" {
		return s
	}
	s.username = r.login.Username()
	s.password, _ = r.login.Password()
	return s
}
