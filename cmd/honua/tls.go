package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/api/auth"
	"github.com/honua-io/honua-gitops/internal/tlsfiles"
)

const day = 24 * time.Hour

// tlsFlags are the flags of everything that issues certificates.
type tlsFlags struct {
	dir, cluster string
	valid        time.Duration
}

func (f *tlsFlags) register(command *cobra.Command, valid time.Duration) {
	command.Flags().StringVar(&f.dir, "dir", ".", "folder of the authority and of what it issues")
	command.Flags().StringVar(&f.cluster, "cluster", "honua", "the cluster's name, Cluster.Name")
	command.Flags().DurationVar(&f.valid, "valid", valid, "how long the certificate is valid")
}

func (f *tlsFlags) check(longest time.Duration) error {
	if !regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`).MatchString(f.cluster) {
		return fmt.Errorf("--cluster %q: lower-case letters, digits and -, at most 63", f.cluster)
	}
	if f.valid < time.Hour || f.valid > longest {
		return fmt.Errorf("--valid %s: from 1h to %dh", f.valid, int(longest.Hours()))
	}
	return nil
}

const (
	authorityCert = "ca.pem"
	authorityKey  = "ca.key"
)

func newTLSCommand(s *session) *cobra.Command {
	group := newGroup("tls", "Make the certificates of a cluster", newTLSAuthorityCommand(s), newTLSServerCommand(s), newTLSClientCommand(s))
	group.Long = `Make the certificates of a cluster: an authority, a certificate for each node, one for each person or
program that calls it. Keys are ECDSA P-256, in files that only their owner reads; nothing is ever
overwritten. Keep ca.key off the nodes: whoever has it can be any of them.`
	group.Example = `  honua tls ca --cluster gis
  honua tls server --cluster gis --name node1 --dns node1.example.org --ip 10.0.0.1
  honua tls client --cluster gis --name alice --role admin`
	return group
}

// certificateView is what was issued.
type certificateView struct {
	CertFile string    `json:"certFile"`
	KeyFile  string    `json:"keyFile"`
	CAFile   string    `json:"caFile"`
	Names    []string  `json:"names"`
	NotAfter time.Time `json:"notAfter"`
}

func newTLSAuthorityCommand(s *session) *cobra.Command {
	var f tlsFlags
	command := &cobra.Command{
		Use: "ca", Short: "Make the authority that vouches for nodes and clients", Args: cobra.NoArgs,
		Example: "  honua tls ca --cluster gis --dir /root/gis-ca",
		RunE: func(*cobra.Command, []string) error {
			if err := errors.Join(s.checkFormat(), f.check(30*365*day)); err != nil {
				return err
			}
			now := time.Now()
			pair, err := tlsfiles.NewAuthority("honua "+f.cluster+" CA", now, f.valid)
			if err != nil {
				return err
			}
			return s.issued(f, pair, "ca", now)
		},
	}
	f.register(command, 10*365*day)
	return command
}

func newTLSServerCommand(s *session) *cobra.Command {
	var f tlsFlags
	var name string
	var dns, ips []string
	command := &cobra.Command{
		Use: "server", Short: "Make a node's certificate", Args: cobra.NoArgs,
		Long: `Make a node's certificate. It carries the name server.<cluster>.honua, which makes its owner a node of
this cluster, the names and addresses given, and localhost.`,
		Example: "  honua tls server --cluster gis --name node1 --dns node1.example.org --ip 10.0.0.1",
		RunE: func(*cobra.Command, []string) error {
			if err := errors.Join(s.checkFormat(), f.check(5*365*day), checkCertificateName(name)); err != nil {
				return err
			}
			now := time.Now()
			hosts, err := hostNames(dns, ips)
			if err != nil {
				return err
			}
			ca, err := openAuthority(f, now)
			if err != nil {
				return err
			}
			pair, err := ca.IssueServer(f.cluster, hosts, f.valid)
			if err != nil {
				return err
			}
			return s.issued(f, pair, name, now)
		},
	}
	f.register(command, 365*day)
	command.Flags().StringVar(&name, "name", "server", "name of the files")
	command.Flags().StringArrayVar(&dns, "dns", nil, "a name by which clients reach the node; may be repeated")
	command.Flags().StringArrayVar(&ips, "ip", nil, "an address by which clients reach the node; may be repeated")
	return command
}

func newTLSClientCommand(s *session) *cobra.Command {
	var f tlsFlags
	var name string
	var roles, environments []string
	command := &cobra.Command{
		Use: "client", Short: "Make the certificate of a person or a program", Args: cobra.NoArgs,
		Long: `Make the certificate of a person or a program. --name is its identity: what approvals are counted by and
audit records name. Roles inside it hold in this cluster alone, and until it expires; Auth.Identities in
the nodes' configuration replaces them.`,
		Example: "  honua tls client --cluster gis --name alice --role admin\n" +
			"  honua tls client --cluster gis --name ci --role deployer --environment staging --valid 720h",
		RunE: func(*cobra.Command, []string) error {
			if err := errors.Join(s.checkFormat(), f.check(2*365*day), checkCertificateName(name)); err != nil {
				return err
			}
			grants, err := readGrants(roles, environments)
			if err != nil {
				return err
			}
			now := time.Now()
			ca, err := openAuthority(f, now)
			if err != nil {
				return err
			}
			pair, err := ca.IssueClient(name, f.valid, roleURIs(f.cluster, grants)...)
			if err != nil {
				return err
			}
			return s.issued(f, pair, name, now)
		},
	}
	f.register(command, 365*day)
	command.Flags().StringVar(&name, "name", "", "the identity (required)")
	roleFlags(command, &roles, &environments)
	return command
}

// roleFlags are how roles are given on the command line.
func roleFlags(command *cobra.Command, roles, environments *[]string) {
	command.Flags().StringArrayVar(roles, "role", nil, "viewer, deployer, approver or admin; may be repeated, and name its environment: approver@production")
	command.Flags().StringArrayVarP(environments, "environment", "e", nil, "where the roles hold that name no environment; everywhere without it; may be repeated")
}

// readGrants spreads roles that name no environment over the environments.
func readGrants(roles, environments []string) (auth.Grants, error) {
	var texts []string
	for _, role := range roles {
		if strings.Contains(role, "@") || len(environments) == 0 {
			texts = append(texts, role)
			continue
		}
		for _, environment := range environments {
			texts = append(texts, role+"@"+environment)
		}
	}
	if len(roles) == 0 && len(environments) > 0 {
		return nil, errors.New("--environment needs a --role")
	}
	return auth.ParseGrants(texts...)
}

func roleURIs(cluster string, grants auth.Grants) []*url.URL {
	var uris []*url.URL
	for _, environment := range sortedKeys(grants) {
		uris = append(uris, tlsfiles.RoleURI(cluster, grants[environment].String(), environment))
	}
	return uris
}

// checkCertificateName: it becomes the name of files, and is shown to people.
func checkCertificateName(name string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$`).MatchString(name) {
		return fmt.Errorf("--name %q: letters, digits and . _ @ + -, from 1 to 64", name)
	}
	if name+".key" == authorityKey {
		return errors.New("--name ca is the authority's")
	}
	return nil
}

func openAuthority(f tlsFlags, now time.Time) (*tlsfiles.Authority, error) {
	cert, certErr := os.ReadFile(filepath.Join(f.dir, authorityCert))
	key, keyErr := os.ReadFile(filepath.Join(f.dir, authorityKey))
	if err := errors.Join(certErr, keyErr); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w\nMake the authority first: honua tls ca --dir %s", err, f.dir)
		}
		return nil, err
	}
	return tlsfiles.OpenAuthority(tlsfiles.Pair{Cert: cert, Key: key}, now)
}

// issued writes what was made and says so.
func (s *session) issued(f tlsFlags, pair tlsfiles.Pair, name string, now time.Time) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	shown := certificateView{
		CertFile: filepath.Join(f.dir, name+".pem"), KeyFile: filepath.Join(f.dir, name+".key"),
		CAFile: filepath.Join(f.dir, authorityCert),
	}
	if err := pair.Write(shown.CertFile, shown.KeyFile); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w\nNothing is overwritten: move it away, or take another --name or --dir", err)
		}
		return err
	}
	leaf, err := pair.Leaf()
	if err != nil {
		return err
	}
	shown.NotAfter = leaf.NotAfter.UTC()
	shown.Names = certificateNames(leaf)
	return s.print(shown, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s and %s\n  for %s\n  valid until %s (%d days)\n", shown.CertFile, shown.KeyFile,
			strings.Join(shown.Names, ", "), shown.NotAfter.Format(time.RFC3339), int(shown.NotAfter.Sub(now)/day))
		return err
	})
}

// certificateNames is whom a certificate is for, each name once.
func certificateNames(leaf *x509.Certificate) (names []string) {
	all := append([]string{leaf.Subject.CommonName}, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		all = append(all, ip.String())
	}
	for _, uri := range leaf.URIs {
		all = append(all, uri.String())
	}
	for _, name := range all {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
