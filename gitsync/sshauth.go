package gitsync

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/honua-io/honua-gitops/internal/tlsfiles"
)

// sshAuth is how to prove who we are and to check who the server is.
type sshAuth struct {
	config *ssh.ClientConfig
	// host is the outcome of the host key check: nil before it and if it passed.
	host    error
	checked bool
	agent   net.Conn
	address string
}

// newSSHAuth takes the key file, or else the agent's keys and those in ~/.ssh, and trusts only
// the listed host keys.
func newSSHAuth(r remote, login secrets) (*sshAuth, error) {
	known, err := knownHosts(login.knownHostsFile)
	if err != nil {
		return nil, err
	}
	a := &sshAuth{address: r.address}
	signers, err := a.signers(login)
	if err != nil {
		a.close()
		return nil, err
	}
	check := known.HostKeyCallback()
	a.config = &ssh.ClientConfig{
		User:    r.user,
		Timeout: dialTimeout,
		Auth:    []ssh.AuthMethod{ssh.PublicKeys(signers...)},
		// Without this the server may offer a key of a type that is not listed, and a host
		// that is known would be refused.
		HostKeyAlgorithms: known.HostKeyAlgorithms(r.address),
		HostKeyCallback: func(host string, address net.Addr, key ssh.PublicKey) error {
			a.checked = true
			a.host = check(host, address, key)
			return a.host
		},
	}
	return a, nil
}

func (a *sshAuth) close() {
	if a.agent != nil {
		a.agent.Close()
	}
}

// explain says why a handshake failed. The library's errors have no types, so that what had
// been reached decides.
func (a *sshAuth) explain(err error) error {
	var netError net.Error
	switch {
	case knownhosts.IsHostKeyChanged(a.host):
		return fmt.Errorf("%w: the key of %s is not the one that known_hosts lists: the server was reinstalled, or someone is in between", ErrHostKey, a.address)
	case a.host != nil:
		return fmt.Errorf("%w: %s is not in known_hosts; add it with: ssh-keyscan -p PORT HOST, after comparing its fingerprint", ErrHostKey, a.address)
	case errors.As(err, &netError) || !a.checked:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return fmt.Errorf("%w: %w", ErrAuth, err)
}

// knownHosts reads the given file, or else those that ssh reads.
func knownHosts(file string) (*knownhosts.HostKeyDB, error) {
	files := []string{file}
	if file == "" {
		files = existing("/etc/ssh/ssh_known_hosts", inHome(".ssh", "known_hosts"))
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%w: there is no known_hosts file; set GitOps.Credentials.SshKnownHostsFile", ErrHostKey)
	}
	db, err := knownhosts.NewDB(files...)
	if err != nil {
		return nil, fmt.Errorf("%w: known_hosts: %w", ErrConfig, err)
	}
	return db, nil
}

func (a *sshAuth) signers(login secrets) ([]ssh.Signer, error) {
	if login.keyFile != "" {
		signer, err := readKey(login.keyFile, login.password)
		if err != nil {
			return nil, fmt.Errorf("%w: SSH key %s: %w", ErrConfig, login.keyFile, err)
		}
		return []ssh.Signer{signer}, nil
	}
	found := a.agentSigners()
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		// A key that is missing or needs a passphrase is not an error here: it was not asked for.
		if signer, err := readKey(inHome(".ssh", name), login.password); err == nil {
			found = append(found, signer)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: no SSH key: set GitOps.Credentials.SshKeyFile, run an agent, or put a key into ~/.ssh", ErrConfig)
	}
	return found, nil
}

func (a *sshAuth) agentSigners() []ssh.Signer {
	socket := os.Getenv("SSH_AUTH_SOCK")
	if socket == "" {
		return nil
	}
	conn, err := net.DialTimeout("unix", socket, dialTimeout) //nolint:gosec,noctx // the agent that the environment names, on this machine, within a bound
	if err != nil {
		return nil
	}
	a.agent = conn
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		return nil
	}
	return signers
}

// readKey reads a private key that no one else may read, as ssh does.
func readKey(file, passphrase string) (ssh.Signer, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if tlsfiles.OthersMayRead(info) {
		return nil, fmt.Errorf("its mode %04o lets others read it; run: chmod 600", info.Mode().Perm())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) && passphrase != "" {
		return ssh.ParsePrivateKeyWithPassphrase(data, []byte(passphrase))
	}
	return signer, err
}

func inHome(parts ...string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(append([]string{home}, parts...)...)
}

func existing(files ...string) []string {
	var found []string
	for _, file := range files {
		if _, err := os.Stat(file); file != "" && !errors.Is(err, fs.ErrNotExist) {
			found = append(found, file)
		}
	}
	return found
}
