package gitsync

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packsOfGit are packs as git makes them, with their indexes: with deltas by place and by name, one upon another.
func packsOfGit(t testing.TB) map[string]string {
	t.Helper()
	dir := t.TempDir()
	gitCommand(t, dir, "init", "-q", "-b", "main")
	random := rand.New(rand.NewPCG(1, 2))
	var text []byte
	for range 40_000 {
		text = append(text, byte(random.IntN(256)))
	}
	for i := range 25 {
		copy(text[random.IntN(30_000):], fmt.Sprintf("change %d", i))
		text = append(text, byte(i))
		must(t, os.WriteFile(filepath.Join(dir, "data"), text, 0o600))
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprint("file", i)), []byte(strings.Repeat("line\n", i)), 0o600))
		gitCommand(t, dir, "add", "-A")
		gitCommand(t, dir, "commit", "-q", "-m", fmt.Sprint("commit ", i))
	}
	found := map[string]string{}
	for name, options := range map[string][]string{
		"by place": {"--delta-base-offset", "--depth=50"}, "by name": {"--depth=50"}, "whole": {"--depth=0"},
	} {
		out := filepath.Join(t.TempDir(), "pack")
		gitCommand(t, dir, append(append([]string{"pack-objects", "-q", "--all", "--no-reuse-delta", "--window=30"}, options...), out)...)
		packs, err := filepath.Glob(out + "-*.pack")
		if err != nil || len(packs) != 1 {
			t.Fatal(packs, err)
		}
		found[name] = strings.TrimSuffix(packs[0], ".pack")
	}
	return found
}

// What is indexed here is, byte for byte, what git makes of the same pack.
func TestIndexIsThatOfGit(t *testing.T) {
	for name, stem := range packsOfGit(t) {
		pack, err := os.ReadFile(stem + ".pack")
		must(t, err)
		want, err := os.ReadFile(stem + ".idx")
		must(t, err)
		dir := t.TempDir()
		must(t, writePack(t.Context(), dir, bytes.NewReader(pack)))
		got, err := os.ReadFile(filepath.Join(dir, filepath.Base(stem)+".idx"))
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the index differs from git's", name)
		}
		stored, err := os.ReadFile(filepath.Join(dir, filepath.Base(stem)+".pack"))
		must(t, err)
		if !bytes.Equal(stored, pack) {
			t.Errorf("%s: the pack was stored otherwise", name)
		}
	}
}

// A pack that is damaged anywhere, or cut off, or has something behind it, leaves nothing in place.
func TestDamagedPacksAreNotStored(t *testing.T) {
	for name, stem := range packsOfGit(t) {
		pack, err := os.ReadFile(stem + ".pack")
		must(t, err)
		check := func(what string, data []byte) {
			t.Helper()
			dir := t.TempDir()
			must(t, os.MkdirAll(filepath.Join(dir, "objects", "pack"), 0o700))
			err := storePack(t.Context(), dir, bytes.NewReader(data))
			if left := tree(t, filepath.Join(dir, "objects", "pack")); !errors.Is(err, ErrGarbage) || strings.Count(left, "\n") != 1 {
				t.Errorf("%s, %s: %v, left is %s", name, what, err, left)
			}
		}
		for at := 0; at < len(pack); at += 1 + len(pack)/13 {
			damaged := bytes.Clone(pack)
			damaged[at] ^= 0x41
			check(fmt.Sprint("byte ", at), damaged)
			check(fmt.Sprint("cut at ", at), pack[:at])
		}
		check("more", append(bytes.Clone(pack), "more"...))
	}
}

// What deltas build on is kept in memory up to a bound, and in files that are gone at once beyond it.
func TestScrapIsBounded(t *testing.T) {
	s := scrap{dir: t.TempDir()}
	small, err := s.room(maxKeptMemory)
	must(t, err)
	large, err := s.room(4)
	must(t, err)
	if small.file != nil || large.file == nil || strings.Count(tree(t, s.dir), "\n") != 1 {
		t.Errorf("%v, %v, left is %s", small.file, large.file, tree(t, s.dir))
	}
	if _, err := large.Write([]byte("12345")); err == nil {
		t.Error("more was written than there is room for")
	}
	_, err = large.Write([]byte("1234"))
	must(t, err)
	var got [2]byte
	if _, err := large.at.ReadAt(got[:], 1); err != nil || string(got[:]) != "23" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := s.room(maxKeptFiles); !errors.Is(err, ErrTransferSize) {
		t.Errorf("%v", err)
	}
	for _, k := range []*kept{small, large, large, nil} {
		k.release()
	}
	if s.memory != 0 || s.files != 0 {
		t.Errorf("%d bytes in memory and %d in files are left", s.memory, s.files)
	}
}

// FuzzIndexPack indexes what is no pack: there is an index or an error, and never a crash.
func FuzzIndexPack(f *testing.F) {
	for _, stem := range packsOfGit(f) {
		pack, err := os.ReadFile(stem + ".pack")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pack[:len(pack)/8])
	}
	f.Add([]byte("PACK\x00\x00\x00\x02\xff\xff\xff\xff"))
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00\x02\x9d\x08\x82;\xd8\xa8\xea\xb5\x10\xadj\xc7\\\x82<\xfd>\xd3\x1e"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := os.CreateTemp(dir, "pack")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(file.Name())
		defer file.Close()
		index, _, err := indexPack(t.Context(), io.TeeReader(bytes.NewReader(data), file), file)
		if (index == nil) == (err == nil) {
			t.Errorf("%v and %v", index, err)
		}
	})
}

// FuzzPatch applies deltas that are none: what comes out has the size that was claimed, or there is an error.
func FuzzPatch(f *testing.F) {
	f.Add([]byte("base text"), []byte("\x09\x0d\x90\x09\x04more"))
	f.Add([]byte("base text"), []byte("\x09\x09\xb0\x09\x00"))
	f.Add([]byte("b"), []byte("\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, from, script []byte) {
		base := &kept{at: bytes.NewReader(from), size: int64(len(from))}
		p, err := newPatch(bytes.NewReader(script), base, make([]byte, 512))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := p.apply(&out, t.Context().Err); err == nil && int64(out.Len()) != p.size {
			t.Errorf("%d bytes instead of %d", out.Len(), p.size)
		}
	})
}
