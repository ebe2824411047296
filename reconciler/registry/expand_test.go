package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func testExpander(values map[string]string) expander {
	return expander{
		lookupEnv: func(name string) (string, bool) { v, ok := values[name]; return v, ok },
		readFile:  os.ReadFile,
		private:   func(reference string) bool { return reference == "OWN" || strings.HasSuffix(reference, "own.key") },
	}
}

func TestExpand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte("from file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := testExpander(map[string]string{"HOST": "db", "NESTED": "${HOST}", "EMPTY": "", "OWN": "secret"})
	for _, test := range []struct{ in, want, err string }{
		{in: "", want: ""},
		{in: "Host=db", want: "Host=db"},
		{in: "Host=${HOST};x", want: "Host=db;x"},
		{in: "${HOST}${HOST}", want: "dbdb"},
		{in: "${NESTED}", want: "${HOST}"},
		{in: "a${EMPTY}b", want: "ab"},
		{in: "$HOST $ {HOST}", want: "$HOST $ {HOST}"},
		{in: "Password=${file:" + path + "}", want: "Password=from file"},
		{in: "${MISSING}", err: "environment variable MISSING is not set"},
		{in: "${HOST", err: "not closed"},
		{in: "Host=evil;Password=${OWN}", err: "${OWN} is the node's own"},
		{in: "Host=evil;Password=${file:/etc/own.key}", err: "${file:/etc/own.key} is the node's own"},
		{in: "${}", err: "neither"},
		{in: "${A B}", err: "neither"},
		{in: "${1A}", err: "neither"},
		{in: "${file:" + path + ".gone}", err: "does not exist"},
	} {
		got, err := e.expand(test.in)
		if test.err != "" {
			if !errors.Is(err, ErrConnectionString) || !strings.Contains(err.Error(), test.err) {
				t.Errorf("expand(%q) = %v, want %q", test.in, err, test.err)
			}
			continue
		}
		if err != nil || got.value != test.want {
			t.Errorf("expand(%q) = %q, %v, want %q", test.in, got.value, err, test.want)
		}
	}
}

func TestExpandBoundsFiles(t *testing.T) {
	e := testExpander(nil)
	e.readFile = func(string) ([]byte, error) { return make([]byte, maxSecretBytes+1), nil }
	if _, err := e.expand("${file:/x}"); err == nil {
		t.Error("a huge file was used")
	}
	e.readFile = func(string) ([]byte, error) { return []byte("top secret"), errors.New("half read: top secret") }
	if _, err := e.expand("${file:/x}"); err == nil || strings.Contains(err.Error(), "top secret") {
		t.Errorf("err = %v", err)
	}
	e.readFile = func(string) ([]byte, error) { return nil, &fs.PathError{Op: "open", Path: "/x", Err: fs.ErrPermission} }
	if _, err := e.expand("${file:/x}"); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("err = %v", err)
	}
}

func TestRedact(t *testing.T) {
	const password = `p@ss/w"ord ä`
	x, err := testExpander(map[string]string{"PW": password, "EMPTY": ""}).expand("${PW}${EMPTY}")
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{password, "p%40ss%2Fw%22ord+%C3%A4", "p@ss%2Fw%22ord%20%C3%A4", `"p@ss/w\"ord ä"`} {
		hidden := x.redactError(fmt.Errorf("%w: dial %s failed", ErrUnavailable, shown))
		if strings.Contains(hidden.Error(), "ord") || !errors.Is(hidden, ErrUnavailable) {
			t.Errorf("redacted %q to %q", shown, hidden)
		}
		for inner := errors.Unwrap(hidden); inner != nil; inner = errors.Unwrap(inner) {
			if strings.Contains(inner.Error(), shown) {
				t.Errorf("%q can be unwrapped", shown)
			}
		}
	}
}

func FuzzExpand(f *testing.F) {
	for _, seed := range []string{"", "${A}", "x${A}y${B}", "${", "${}", "${file:}", "$${A}}", "${A${B}}"} {
		f.Add(seed)
	}
	const value = "SECRET-VALUE"
	e := testExpander(map[string]string{"A": value})
	e.readFile = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	f.Fuzz(func(t *testing.T, text string) {
		x, err := e.expand(text)
		if err != nil {
			if !errors.Is(err, ErrConnectionString) {
				t.Fatalf("err = %v", err)
			}
			return
		}
		if !strings.Contains(text, value) && strings.Contains(x.redact(x.value), value) {
			t.Fatalf("%q shows the value", x.redact(x.value))
		}
	})
}

func TestConfigValidate(t *testing.T) {
	good := Config{
		Drivers: map[string]Driver{"Fake": &fakeDriver{}}, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Logger: discard(),
	}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"drivers": func(c *Config) { c.Drivers = nil }, "env": func(c *Config) { c.LookupEnv = nil },
		"file": func(c *Config) { c.ReadFile = nil }, "logger": func(c *Config) { c.Logger = nil },
		"negative": func(c *Config) { c.Parallel = -1 },
	} {
		bad := good
		spoil(&bad)
		if err := bad.Validate(); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
