// Command mksecrets makes what docker-compose.gitops.yml needs as secrets: an authority, a certificate for each of
// the three nodes and one for the operator, who is an admin, the gossip key, and passwords. It overwrites nothing.
package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/honua-io/honua-gitops/internal/tlsfiles"
)

// The user of the image, how long what is made is valid, and the name that a cluster has unless it is configured.
const (
	user    = 65532
	valid   = 365 * 24 * time.Hour
	cluster = "honua"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: mksecrets DIRECTORY")
		os.Exit(1)
	}
	if err := makeSecrets(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "mksecrets:", err)
		os.Exit(1)
	}
}

func makeSecrets(directory string) error {
	if _, err := os.Stat(directory); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: %w", directory, errors.Join(fs.ErrExist, err))
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	if err := certificates(directory); err != nil {
		return err
	}
	password := hex.EncodeToString(random(16))
	for name, content := range map[string]string{
		"gossip.key":           base64.StdEncoding.EncodeToString(random(32)) + "\n",
		"postgres_password":    password,
		"db_connection_string": "Host=postgres;Database=gis;Username=honua;Password=" + password,
		"grafana_password":     hex.EncodeToString(random(16)),
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return hand(directory)
}

func certificates(directory string) error {
	now := time.Now()
	pair, err := tlsfiles.NewAuthority("honua compose", now, 10*valid)
	if err != nil {
		return err
	}
	path := func(name string) string { return filepath.Join(directory, name) }
	if err := pair.Write(path("ca.pem"), path("ca.key")); err != nil {
		return err
	}
	authority, err := tlsfiles.OpenAuthority(pair, now)
	if err != nil {
		return err
	}
	for _, node := range []string{"node1", "node2", "node3"} {
		pair, err := authority.IssueServer(cluster, []string{node, node + ".cluster", "localhost", "127.0.0.1"}, valid)
		if err == nil {
			err = pair.Write(path(node+".pem"), path(node+".key"))
		}
		if err != nil {
			return err
		}
	}
	operator, err := authority.IssueClient("operator", valid, tlsfiles.RoleURI(cluster, "admin", "*"))
	if err != nil {
		return err
	}
	return operator.Write(path("operator.pem"), path("operator.key"))
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// hand gives what the nodes read to their user, and keeps the rest: compose mounts files as they are. The databases'
// passwords are read by programs that run as other users.
func hand(directory string) error {
	if os.Geteuid() != 0 {
		fmt.Printf("not root: let user %d own the node's files, or the nodes cannot read them\n", user)
		return nil
	}
	for _, name := range []string{
		"gossip.key", "db_connection_string", "ca.pem", "node1.pem", "node1.key", "node2.pem", "node2.key", "node3.pem", "node3.key",
	} {
		if err := os.Chown(filepath.Join(directory, name), user, user); err != nil {
			return err
		}
	}
	// Grafana runs as 472.
	return os.Chown(filepath.Join(directory, "grafana_password"), 472, 0)
}
