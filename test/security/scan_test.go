package security

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// scanner looks for secrets in whatever form they may have got somewhere: as they are, in base64 at any offset, in
// hexadecimal, and inside zstd and gzip.
type scanner struct {
	t *testing.T
	// needles are by the name of their secret.
	needles map[string][][]byte
	// spared are secrets that may be in a place, by a part of the place's name.
	spared map[string][]string
	hits   []string
	found  map[string]int
	looked int
}

func newScanner(t *testing.T, secrets map[string]string) *scanner {
	s := &scanner{t: t, needles: map[string][][]byte{}, spared: map[string][]string{}, found: map[string]int{}}
	for name, secret := range secrets {
		s.needles[name] = forms(secret)
	}
	return s
}

// forms are how a text may be spelled: as it is, quoted, in a URL, in hexadecimal, in base64. Base64 depends on where in a longer text it stands: what is the same in all
// longer texts is looked for.
func forms(secret string) [][]byte {
	all := [][]byte{[]byte(secret), []byte(hex.EncodeToString([]byte(secret))), []byte(strings.ToUpper(hex.EncodeToString([]byte(secret))))}
	quoted := strconv.Quote(secret)
	for _, form := range []string{quoted[1 : len(quoted)-1], url.QueryEscape(secret), url.PathEscape(secret), url.UserPassword("", secret).String()[1:]} {
		all = append(all, []byte(form))
	}
	for offset := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := encoding.EncodeToString(append(make([]byte, offset), secret...))
			begin, end := (offset*8+5)/6, (offset+len(secret))*8/6
			all = append(all, []byte(encoded[begin:end]))
		}
	}
	return all
}

// look looks through a content and through what is compressed in it.
func (s *scanner) look(place string, content []byte) {
	s.t.Helper()
	s.looked++
	all := layers(content, 3)
	for name, needles := range s.needles {
		if !slices.ContainsFunc(all, func(layer []byte) bool {
			return slices.ContainsFunc(needles, func(n []byte) bool { return bytes.Contains(layer, n) })
		}) {
			continue
		}
		s.found[name]++
		if !s.spares(place, name) {
			s.hits = append(s.hits, name+" in "+place)
		}
	}
}

func (s *scanner) spares(place, name string) bool {
	for part, names := range s.spared {
		if strings.Contains(place, part) && slices.Contains(names, name) {
			return true
		}
	}
	return false
}

// walk looks through all files below a folder, but for those whose path ends in one of these.
func (s *scanner) walk(dir string, but ...string) {
	s.t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || slices.ContainsFunc(but, func(end string) bool { return strings.HasSuffix(path, end) }) {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil {
			s.look(path, content)
		}
		return err
	})
	if err != nil {
		s.t.Error(err)
	}
}

// report fails the test with what was found where it must not be.
func (s *scanner) report() {
	s.t.Helper()
	slices.Sort(s.hits)
	for _, hit := range slices.Compact(s.hits) {
		s.t.Errorf("secret %s", hit)
	}
}

// layers are a content and everything that is compressed in it, to a depth.
func layers(content []byte, depth int) [][]byte {
	all := [][]byte{content}
	if depth == 0 {
		return all
	}
	for magic, open := range map[string]func(io.Reader) (io.Reader, error){"\x28\xb5\x2f\xfd": unzstd, "\x1f\x8b\x08": ungzip} {
		for rest := content; ; {
			_, after, found := bytes.Cut(rest, []byte(magic))
			if !found {
				break
			}
			if inner := unpacked(rest[len(rest)-len(after)-len(magic):], open); len(inner) > 0 {
				all = append(all, layers(inner, depth-1)...)
			}
			rest = after
		}
	}
	return all
}

// unpacked is as much as can be read: what follows in a file is not compressed.
func unpacked(packed []byte, open func(io.Reader) (io.Reader, error)) []byte {
	reader, err := open(bytes.NewReader(packed))
	if err != nil {
		return nil
	}
	inner, _ := io.ReadAll(io.LimitReader(reader, 64<<20))
	return inner
}

func unzstd(r io.Reader) (io.Reader, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

func ungzip(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }

// The scanner finds what it is to find, in each form.
func TestScanner(t *testing.T) {
	const secret = "needle-4711%/ in:a&\"haystack"
	var packed bytes.Buffer
	outer := gzip.NewWriter(&packed)
	inner, err := zstd.NewWriter(outer)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{
		func() error { _, err := io.WriteString(inner, "hay "+secret+" hay"); return err }, inner.Close, outer.Close,
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{
		"plain": "x" + secret + "x", "URL": "https://u:" + url.PathEscape(secret) + "@h", "query": "?x=" + url.QueryEscape(secret), "quoted": fmt.Sprintf("%q", secret),
		"hex":         hex.EncodeToString([]byte("ab" + secret)),
		"base64 at 0": base64.StdEncoding.EncodeToString([]byte(secret + "?")),
		"base64 at 1": base64.StdEncoding.EncodeToString([]byte("a" + secret)),
		"base64 at 2": base64.URLEncoding.EncodeToString([]byte("??" + secret + "?")),
		"compressed":  "page " + packed.String() + " page",
	} {
		s := newScanner(t, map[string]string{"it": secret})
		s.look(name, []byte(content))
		if len(s.hits) != 1 {
			t.Errorf("%s: %v", name, s.hits)
		}
		s = newScanner(t, map[string]string{"it": secret})
		s.spared["plain"] = []string{"it"}
		s.look("a plain place", []byte(content))
		s.look("x", []byte(fmt.Sprint(len(content))))
		if len(s.hits) != 0 || s.found["it"] != 1 {
			t.Errorf("%s, spared: %v", name, s.hits)
		}
	}
}
