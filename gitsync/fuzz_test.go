package gitsync

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

var shaA = strings.Repeat("a", 40)

// Whatever a server says first: no crash, and no commit that is not one.
func FuzzAdvertisement(f *testing.F) {
	for _, seed := range []string{
		"", "0000", "000eversion 2\n000cls-refs\n000afetch\n0000",
		"001e# service=git-upload-pack\n0000000eversion 2\n000cls-refs\n000afetch\n0000",
		"003e" + shaA + " refs/heads/main\x00 side-band-64k\n0000",
		"0045" + strings.Repeat("0", 40) + " capabilities^{}\x00 side-band-64k\n0000",
		"0010ERR go away\n", "0035shallow " + shaA + "\n0000", "ffff", "0004", "0003", "zzzz",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		scan := refScan{branch: "main"}
		_, err := readAdvertisement(bytes.NewReader(data), &scan)
		checkScan(t, scan, err)
	})
}

// The answer to ls-refs.
func FuzzListing(f *testing.F) {
	for _, seed := range []string{
		"0000", "003d" + shaA + " refs/heads/main\n0000", "0052" + shaA + " refs/heads/main symref-target:refs/heads/x\n0000",
		"0010unborn HEAD\n0000", "003d" + shaA + " refs/heads/main\n", "0001", "003d" + shaA + "\trefs/heads/main\n0000",
		"003d" + shaA + " refs/heads/main\n003d" + strings.Repeat("b", 40) + " refs/heads/main\n0000",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		scan := refScan{branch: "main"}
		checkScan(t, scan, readListing(bytes.NewReader(data), &scan))
	})
}

func checkScan(t *testing.T, scan refScan, err error) {
	t.Helper()
	if err != nil && Code(err) == "internal" {
		t.Errorf("an error without a code: %v", err)
	}
	if commit, err := scan.result(); err == nil && !isSHA(commit) {
		t.Errorf("%q is not a commit", commit)
	}
}

// The answer to a fetch, up to the pack.
func FuzzPackStream(f *testing.F) {
	f.Add([]byte("000dpackfile\n0009\x01PACK0000"), true)
	f.Add([]byte("0008NAK\n0009\x01PACK0000"), false)
	f.Add([]byte("0031ACK "+shaA+"\n0031ACK "+shaA+"\n0009\x01PACK0000"), false)
	f.Add([]byte("000dpackfile\n000d\x03go away\n"), true)
	f.Fuzz(func(t *testing.T, data []byte, version2 bool) {
		ad := advertisement{capabilities: map[string]string{"side-band-64k": ""}}
		if version2 {
			ad.version = 2
		}
		pack, err := openPack(bytes.NewReader(data), ad)
		if err == nil {
			_, err = io.Copy(io.Discard, pack)
		}
		if err != nil && Code(err) == "internal" {
			t.Errorf("an error without a code: %v", err)
		}
	})
}

// The child's answer: the parent neither crashes nor takes more than its limits.
func FuzzAnswer(f *testing.F) {
	var good bytes.Buffer
	reading := &Reading{Files: []File{{"a", []byte("content")}}, Policy: []byte("policy")}
	if err := writeAnswer(&good, reading, nil); err != nil {
		f.Fatal(err)
	}
	var bad bytes.Buffer
	if err := writeAnswer(&bad, nil, errors.Join(ErrGarbage)); err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{good.Bytes(), bad.Bytes(), good.Bytes()[:good.Len()-3], {0xff, 0xff, 0xff, 0xff}, {}} {
		f.Add(seed)
	}
	limits := Limits{MaxFileBytes: 64, MaxBundleBytes: 100, MaxFiles: 3, FetchMemoryBytes: 64 * mib}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readAnswer(bytes.NewReader(data), limits)
		if (got == nil) == (err == nil) {
			t.Fatalf("%v and %v", got, err)
		}
		if got != nil && len(got.Files) > limits.MaxFiles {
			t.Errorf("%d files", len(got.Files))
		}
	})
}

// Commits as old and broken tools wrote them.
func FuzzCommit(f *testing.F) {
	f.Add("tree " + shaA + "\nparent " + shaA + "\nauthor A <a@b> 1 +0000\ncommitter C <c@d> 2 +0100\n\nMessage\n\nCo-authored-by: E <e@f>\n")
	f.Add("tree " + shaA + "\nauthor \x00<<>> -1\n\n")
	f.Add("tree x\n\n")
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := parseCommit(shaA, raw)
		if err != nil {
			return
		}
		for _, person := range c.info.contributors() {
			if strings.ContainsAny(person.Name+person.Email, "\x00\x1b") {
				t.Errorf("%q", person)
			}
		}
	})
}

func FuzzRedact(f *testing.F) {
	f.Add("https://ada:secret@example.com/repo")
	f.Fuzz(func(t *testing.T, text string) {
		if got := Redact("https://ada:CANARY" + text); strings.Contains(text, "@") && !strings.ContainsAny(text, "/?#") && strings.Contains(got, "CANARY") {
			t.Errorf("%q shows the password", got)
		}
	})
}
