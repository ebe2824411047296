package supply

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// advisory is a known defect of a module and the first version without it.
type advisory struct{ module, fixed, id string }

// advisories are those that concern what the program links. The database of the Go project is not asked: builds and
// tests need no network. A module that is taken anew, or an advisory that is published, is a line here.
func advisories() []advisory {
	return []advisory{
		{"google.golang.org/grpc", "v1.79.3", "CVE-2026-33186: a path without its leading slash got past authorization"},
		{"github.com/hashicorp/memberlist", "v0.7.0", "decompression of a packet was not bounded"},
		{"golang.org/x/crypto", "v0.45.0", "CVE-2025-47914, CVE-2025-58181, CVE-2025-22869, CVE-2024-45337: SSH agent and server"},
		{"golang.org/x/net", "v0.38.0", "CVE-2025-22870, CVE-2025-22872, CVE-2023-45288: proxies, HTML, HTTP/2 headers"},
		{"golang.org/x/oauth2", "v0.27.0", "CVE-2025-22868: memory of malformed tokens"},
		{"golang.org/x/text", "v0.3.8", "CVE-2022-32149: time of language tags"},
		{"google.golang.org/protobuf", "v1.33.0", "CVE-2024-24786: endless loop in JSON"},
		{"github.com/go-jose/go-jose/v4", "v4.0.5", "CVE-2025-27144: memory of malformed tokens"},
		{"github.com/go-git/go-git/v5", "v5.13.0", "CVE-2025-21613, CVE-2025-21614: arguments to git, memory"},
		{"github.com/jackc/pgx/v5", "v5.5.4", "CVE-2024-27304: SQL injection by the size of a message"},
		{"github.com/cloudflare/circl", "v1.6.1", "CVE-2025-8556: points of FourQ"},
		{"gopkg.in/yaml.v3", "v3.0.1", "CVE-2022-28948: panic"},
	}
}

// What is linked is no older than the first version without each known defect, and nothing is replaced unseen.
func TestKnownAdvisories(t *testing.T) {
	linked := modules(t)
	if len(linked) < 30 {
		t.Fatalf("only %d modules", len(linked))
	}
	for _, a := range advisories() {
		version, is := linked[a.module]
		if !is {
			t.Errorf("%s is linked no more: take its line out", a.module)
		} else if older(t, version, a.fixed) {
			t.Errorf("%s %s is older than %s: %s", a.module, version, a.fixed, a.id)
		}
	}
}

// modules are what the program links, with their versions.
func modules(t *testing.T) map[string]string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=Module", "./cmd/honua")
	command.Dir = filepath.FromSlash(root)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &complaints)
	}
	found := map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Module *struct {
				Path, Version string
				Main          bool
				Replace       *struct{ Path string }
			}
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		switch m := p.Module; {
		case m == nil || m.Main:
		case m.Replace != nil:
			t.Errorf("%s is replaced by %s: what is checked is not what is linked", m.Path, m.Replace.Path)
		default:
			found[m.Path] = m.Version
		}
	}
}

// older compares versions by their three numbers; a pre-release is older than its release.
func older(t *testing.T, version, than string) bool {
	t.Helper()
	parse := func(text string) (numbers [3]int, early bool) {
		release, rest, _ := strings.Cut(strings.TrimPrefix(text, "v"), "-")
		for i, part := range strings.SplitN(strings.SplitN(release, "+", 2)[0], ".", 3) {
			n, err := strconv.Atoi(part)
			if err != nil {
				t.Fatalf("%s is no version", text)
			}
			numbers[i] = n
		}
		return numbers, rest != ""
	}
	a, early := parse(version)
	b, _ := parse(than)
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return early
}

func TestOlder(t *testing.T) {
	for _, test := range []struct {
		version, than string
		want          bool
	}{
		{"v1.79.2", "v1.79.3", true}, {"v1.79.3", "v1.79.3", false}, {"v1.80.0", "v1.79.3", false}, {"v0.9.9", "v1.0.0", true},
		{"v1.79.3-rc.1", "v1.79.3", true}, {"v1.10.0", "v1.9.0", false}, {"v2.0.0+incompatible", "v1.9.0", false},
	} {
		if got := older(t, test.version, test.than); got != test.want {
			t.Errorf("%s older than %s: %v", test.version, test.than, got)
		}
	}
}
