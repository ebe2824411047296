package bundle

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func example() []File {
	return []File{
		{Path: "environments/production/metadata.json", Content: []byte(`{"services":[]}`)},
		{Path: ".policy/policy.json", Content: []byte(`{}`)},
		{Path: "environments/common/shared-config.json", Content: []byte{}},
		{Path: "environments/production/datasources.json", Content: bytes.Repeat([]byte("x"), 300)},
	}
}

func encode(t testing.TB, files []File) []byte {
	t.Helper()
	encoded, err := Encode(files)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// The digest is what deployments, holds and nodes know a content by: it is for ever.
func TestDigestIsStable(t *testing.T) {
	const want = "3cbf4307c6f2ac5f725c857c132fd15c668799254645e6fed2e1a691b530987e"
	if got := Digest(encode(t, example())); got != want {
		t.Errorf("the digest of the example is %s, it was %s", got, want)
	}
}

func TestEncodeDoesNotDependOnOrder(t *testing.T) {
	files := example()
	want := encode(t, files)
	slices.Reverse(files)
	first := files[0].Path
	if got := encode(t, files); !bytes.Equal(got, want) {
		t.Error("the same files in another order are encoded otherwise")
	}
	if files[0].Path != first {
		t.Error("the given slice was sorted")
	}
}

func TestDecodeReadsWhatEncodeWrote(t *testing.T) {
	for _, files := range [][]File{{}, example()} {
		got, err := Decode(encode(t, files))
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
		if diff := cmp.Diff(files, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := map[string]struct {
		paths []string
		want  error
	}{
		"a path twice":       {[]string{"a", "b", "a"}, ErrDuplicate},
		"no path":            {[]string{""}, ErrPath},
		"the root":           {[]string{"."}, ErrPath},
		"an absolute path":   {[]string{"/etc/passwd"}, ErrPath},
		"a way out":          {[]string{"a/../../b"}, ErrPath},
		"an empty part":      {[]string{"a//b"}, ErrPath},
		"a NUL":              {[]string{"a\x00b"}, ErrPath},
		"what is not UTF-8":  {[]string{"a\xff"}, ErrPath},
		"a path too long":    {[]string{strings.Repeat("a", MaxPath+1)}, ErrPath},
		"a trailing slash":   {[]string{"a/"}, ErrPath},
		"a part that is dot": {[]string{"a/./b"}, ErrPath},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var files []File
			for _, p := range test.paths {
				files = append(files, File{Path: p})
			}
			if _, err := Encode(files); !errors.Is(err, test.want) {
				t.Errorf("the error is %v, want %v", err, test.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	whole := encode(t, example())
	tests := map[string][]byte{
		"nothing":                 {},
		"another version":         append([]byte("HONUABDL\x02"), whole[len(magic):]...),
		"trailing bytes":          append(slices.Clone(whole), 0),
		"more files than fit":     append([]byte(magic), 0xff, 0xff, 0xff, 0x7f),
		"a count beyond 64 bits":  append([]byte(magic), bytes.Repeat([]byte{0xff}, 11)...),
		"a length in long form":   append([]byte(magic), 0x81, 0x00, 1, 'a', 0),
		"paths out of order":      append([]byte(magic), 2, 1, 'b', 0, 1, 'a', 0),
		"a path twice":            append([]byte(magic), 2, 1, 'a', 0, 1, 'a', 0),
		"a path that leads out":   append([]byte(magic), 1, 2, '.', '.', 0),
		"a content that is short": append([]byte(magic), 1, 1, 'a', 5, 'x'),
	}
	for n := range whole {
		if _, err := Decode(whole[:n]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("cut to %d bytes the error is %v", n, err)
		}
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode(data); !errors.Is(err, ErrMalformed) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
