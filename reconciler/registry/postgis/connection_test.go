package postgis

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

func TestParseConnection(t *testing.T) {
	for name, test := range map[string]struct {
		text               string
		host, user         string
		password, database string
		port               uint16
		connections        int32
		tls                bool
	}{
		"the runbook's": {"Host=db;Database=gis;Username=honua;Password=secret", "db", "honua", "secret", "gis", 5432, defaultConnections, true},
		"aliases":       {"SERVER=db ; port = 5433;Db=gis;User ID=honua;Pwd=secret;", "db", "honua", "secret", "gis", 5433, defaultConnections, true},
		"quotes": {`Host='db';Username="ho""nua";Password='it''s; "it" = \here';Database=gis`, "db", `ho"nua`, `it's; "it" = \here`, "gis", 5432,
			defaultConnections, true},
		"equals signs":       {"Host=db;User Id=u;Password=a=b==;Database=gis", "db", "u", "a=b==", "gis", 5432, defaultConnections, true},
		"the last one holds": {"Host=a;Host=db;Username=u;Password=p;Database=gis", "db", "u", "p", "gis", 5432, defaultConnections, true},
		"limits":             {"Host=db;Username=u;Password=p;Database=gis;Maximum Pool Size=3;SSL Mode=Disable", "db", "u", "p", "gis", 5432, 3, false},
		"passed over":        {"Host=db;Username=u;Password=p;Database=gis;Pooling=true;Trust Server Certificate=true;Keepalive=30", "db", "u", "p", "gis", 5432, defaultConnections, true},
		"URL":                {"postgres://u:p%40ss@db:5433/gis?sslmode=disable&pool_max_conns=4", "db", "u", "p@ss", "gis", 5433, 4, false},
		"URL, other scheme":  {" postgresql://u:p@db/gis?sslmode=require ", "db", "u", "p", "gis", 5432, defaultConnections, true},
	} {
		c, err := parseConnection(test.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := c.ConnConfig
		if got.Host != test.host || got.User != test.user || got.Password != test.password || got.Database != test.database ||
			got.Port != test.port || c.MaxConns != test.connections || (got.TLSConfig != nil) != test.tls {
			t.Errorf("%s: %s@%s:%d/%s, password %q, %d connections, TLS %v", name, got.User, got.Host, got.Port, got.Database,
				got.Password, c.MaxConns, got.TLSConfig != nil)
		}
		if got.RuntimeParams["default_transaction_read_only"] != "on" || got.RuntimeParams["statement_timeout"] == "" {
			t.Errorf("%s: %v", name, got.RuntimeParams)
		}
	}
}

func TestConnectionLimits(t *testing.T) {
	c, err := parseConnection("Host=db;Timeout=7;Command Timeout=9;Minimum Pool Size=2;Connection Idle Lifetime=60;Application Name=maps")
	if err != nil {
		t.Fatal(err)
	}
	p := c.ConnConfig.RuntimeParams
	if c.ConnConfig.ConnectTimeout != 7*time.Second || p["statement_timeout"] != "9000" || c.MinConns != 2 ||
		c.MaxConnIdleTime != time.Minute || p["application_name"] != "maps" {
		t.Errorf("%+v, %v", c, p)
	}
	// Nothing in the string makes a connection writable.
	c, err = parseConnection("postgres://db/gis?default_transaction_read_only=off&statement_timeout=50")
	if err != nil || c.ConnConfig.RuntimeParams["default_transaction_read_only"] != "on" || c.ConnConfig.RuntimeParams["statement_timeout"] != "50" {
		t.Errorf("%v, %v", c, err)
	}
}

// Errors say what is wrong and show nothing that may be a secret.
func TestParseConnectionErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                          "names no Host",
		"Database=gis":                              "names no Host",
		"Host=db;hidden":                            "put a value that holds ; into quotes",
		"Host=db;Password='hidden":                  `value of "Password" does not end`,
		"Host=db;Password='hidden'hidden":           `follows the quoted value of "Password"`,
		"Host=db;hidden='x":                         "value of a keyword does not end",
		"Host=db;Usernam=hidden":                    `did you mean "Username"`,
		"Host=db;hiddenhidden=x":                    "unknown keyword",
		"Host=db;Port=hidden":                       "look at port",
		"Host=db;SSL Mode=hidden":                   "SSL Mode: expected Disable",
		"Host=db;Maximum Pool Size=0":               "Maximum Pool Size: expected a whole number of at least 1",
		"Host=db;Command Timeout=hidden":            "Command Timeout: expected a whole number",
		"Host=db;Command Timeout=999999999":         "at most 2147483 seconds",
		"Host=db;Root Certificate=/hidden":          "files of certificates",
		"postgres://hidden:hidden@db:hidden/x":      "percent-encoded",
		"postgres://hidden:hid%zzden@db/x":          "percent-encoded",
		"postgres://u:hidden@db/x?pool_max_conns=x": "percent-encoded",
	} {
		_, err := parseConnection(text)
		if !errors.Is(err, registry.ErrConnectionString) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

func TestShown(t *testing.T) {
	c, err := parseConnection("Host=db.internal;Port=5433;Database=gis;Password=s3cret")
	if err != nil {
		t.Fatal(err)
	}
	if got := place(c, "Host=db.internal;Port=5433;Database=gis;Password=${PW}"); got != `host "db.internal", port "5433", database "gis"` {
		t.Error(got)
	}
	if got := place(c, "${DB}"); strings.Contains(got, "db.internal") || strings.Contains(got, "5433") {
		t.Error(got)
	}
}

// Whatever the text: no panic, and what is accepted names a host.
func FuzzParseConnection(f *testing.F) {
	for _, seed := range []string{
		"Host=db;Database=gis;Username=honua;Password='a;b''c'", "postgres://u:p@h:1/d?sslmode=verify-full", "Host==x=y;", `a="b`, ";;=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.HasPrefix(strings.TrimSpace(text), "postgres") || strings.Contains(strings.ToLower(text), "cert") ||
			strings.Contains(strings.ToLower(text), "passfile") || strings.Contains(strings.ToLower(text), "sslkey") {
			return // names files
		}
		c, err := parseConnection(text)
		if err == nil && c.ConnConfig.Host == "" || err != nil && !errors.Is(err, registry.ErrConnectionString) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
