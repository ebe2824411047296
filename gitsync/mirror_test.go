package gitsync

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// Whatever happens to the mirror on disk, the next read is right (I17).
func TestDamagedMirror(t *testing.T) {
	truncate := func(t *testing.T, pattern string) {
		t.Helper()
		for _, file := range glob(t, pattern) {
			must(t, os.Chmod(file, 0o600))
			info, err := os.Stat(file)
			must(t, err)
			must(t, os.Truncate(file, info.Size()/2))
		}
	}
	for name, damage := range map[string]func(t *testing.T, mirror string){
		"truncated pack":  func(t *testing.T, mirror string) { truncate(t, mirror+"/objects/pack/*.pack") },
		"truncated index": func(t *testing.T, mirror string) { truncate(t, mirror+"/objects/pack/*.idx") },
		"flipped bits": func(t *testing.T, mirror string) {
			for _, file := range glob(t, mirror+"/objects/pack/*.pack") {
				data, err := os.ReadFile(file)
				must(t, err)
				for i := 20; i < len(data)-20; i += 7 {
					data[i] ^= 0x10
				}
				must(t, os.Chmod(file, 0o600))
				must(t, os.WriteFile(file, data, 0o600))
			}
		},
		"no pack":    func(t *testing.T, mirror string) { must(t, os.RemoveAll(mirror+"/objects/pack")) },
		"no index":   func(t *testing.T, mirror string) { must(t, os.Remove(glob(t, mirror+"/objects/pack/*.idx")[0])) },
		"no objects": func(t *testing.T, mirror string) { must(t, os.RemoveAll(mirror+"/objects")) },
		"no HEAD":    func(t *testing.T, mirror string) { must(t, os.Remove(mirror+"/HEAD")) },
		"no branch":  func(t *testing.T, mirror string) { must(t, os.RemoveAll(mirror+"/refs")) },
		"garbage ref": func(t *testing.T, mirror string) {
			must(t, os.WriteFile(mirror+"/refs/heads/main", []byte("x\x00"), 0o600))
		},
		"lost ref": func(t *testing.T, mirror string) {
			must(t, os.WriteFile(mirror+"/refs/heads/main", []byte(strings.Repeat("9", 40)), 0o600))
		},
		"no repository": func(t *testing.T, mirror string) { must(t, os.RemoveAll(mirror)) },
		"no pointer":    func(t *testing.T, mirror string) { must(t, os.Remove(filepath.Join(filepath.Dir(mirror), ".git"))) },
		"garbage pointer": func(t *testing.T, mirror string) {
			must(t, os.WriteFile(filepath.Join(filepath.Dir(mirror), ".git"), []byte("gitdir: ../../../etc"), 0o600))
		},
		"no folder": func(t *testing.T, mirror string) { must(t, os.RemoveAll(filepath.Dir(mirror))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			first := s.repo.Commit(gitserver.Change{Files: sample(nil)})
			m := s.open(s.httpURL())
			read(t, m, Request{Commit: first})
			damage(t, currentMirror(t, m))
			if got := read(t, m, Request{Commit: first}); len(got.Files) != 4 || string(got.Policy) == "" {
				t.Errorf("after the damage: %v", paths(got.Files))
			}
			second := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"environments/production/new": ""})})
			if got := read(t, m, Request{Commit: second, Deployed: first}); len(got.Files) != 5 || got.Relation != FastForward {
				t.Errorf("the next commit: %v, %s", paths(got.Files), got.Relation)
			}
		})
	}
}

func currentMirror(t *testing.T, m *Mirror) string {
	t.Helper()
	home := mirrorHome{dir: m.config.MirrorDir, identity: newJob(m.config, secrets{}, nil).identity()}
	path, ok := home.current()
	if !ok {
		t.Fatal("no mirror")
	}
	return path
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: nothing found (%v)", pattern, err)
	}
	return found
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// An operator can look into the mirror with git, and what is in it is sound.
func TestMirrorIsARepository(t *testing.T) {
	s := newSite(t)
	s.repo.Commit(gitserver.Change{Files: sample(nil)})
	want := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"x": ""})})
	m := s.open(s.httpURL())
	read(t, m, Request{Commit: want})
	out, err := exec.Command("git", "-C", m.config.MirrorDir, "log", "--format=%H").Output()
	if err != nil || !strings.HasPrefix(string(out), want) || strings.Count(string(out), "\n") != 2 {
		t.Errorf("git log: %q, %v", out, err)
	}
	gitCommand(t, m.config.MirrorDir, "fsck", "--full", "--strict")
	info, err := os.Stat(m.config.MirrorDir)
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
}

// A new commit costs one small pack, and when those pile up the mirror is cloned anew.
func TestPacksPileUp(t *testing.T) {
	s := newSite(t)
	m := s.open(s.httpURL())
	read(t, m, Request{Commit: s.repo.Commit(gitserver.Change{Files: sample(nil)})})
	mirror := currentMirror(t, m)
	pack := glob(t, mirror+"/objects/pack/*.pack")[0]
	for i := range maxPacks {
		for _, kind := range []string{".pack", ".idx"} {
			data, err := os.ReadFile(strings.TrimSuffix(pack, ".pack") + kind)
			must(t, err)
			must(t, os.WriteFile(filepath.Join(mirror, "objects/pack", packName(i)+kind), data, 0o600))
		}
	}
	next := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"n": ""})})
	if got := read(t, m, Request{Commit: next}); len(got.Files) != 4 {
		t.Errorf("%v", paths(got.Files))
	}
	fresh := currentMirror(t, m)
	if packs := glob(t, fresh+"/objects/pack/*.pack"); fresh == mirror || len(packs) != 1 {
		t.Errorf("%s, before %s, with %d packs", fresh, mirror, len(packs))
	}
	if left := glob(t, m.config.MirrorDir+"/mirror-*"); len(left) != 1 {
		t.Errorf("left over: %v", left)
	}
}

func packName(i int) string {
	const digits = "0123456789abcdef"
	return "pack-" + strings.Repeat("0", 38) + string(digits[i/16]) + string(digits[i%16])
}

// A directory with something else in it is never touched.
func TestMirrorDirOfSomeoneElse(t *testing.T) {
	s := newSite(t)
	sha := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	clone := filepath.Join(t.TempDir(), "clone")
	gitCommand(t, s.root, "clone", "-q", s.repo.Dir, clone)
	before := tree(t, clone)
	m := s.open(s.httpURL(), func(c *Config) { c.MirrorDir = clone })
	if _, err := m.Read(t.Context(), Request{Commit: sha, Environment: "production"}); !errors.Is(err, ErrConfig) {
		t.Errorf("%v", err)
	}
	if after := tree(t, clone); after != before {
		t.Errorf("changed:\n%s\n%s", before, after)
	}
	fallback := filepath.Join(t.TempDir(), "mirror")
	dir, origin, err := Place(clone, fallback)
	if err != nil || dir != fallback || origin != "file://"+s.repo.Dir {
		t.Errorf("Place of a clone: %q %q %v", dir, origin, err)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if dir, origin, err = Place(missing, fallback); err != nil || dir != missing || origin != "" {
		t.Errorf("Place of nothing: %q %q %v", dir, origin, err)
	}
	m = s.open(s.httpURL(), func(c *Config) { c.MirrorDir = missing })
	read(t, m, Request{Commit: sha})
	if dir, _, err = Place(missing, fallback); err != nil || dir != missing {
		t.Errorf("Place of a mirror: %q %v", dir, err)
	}
}

func tree(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	must(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		all.WriteString(path + "\n")
		return err
	}))
	return all.String()
}

// A mirror of another repository or branch is not used.
func TestMirrorOfAnotherBranch(t *testing.T) {
	s := newSite(t)
	sha := s.repo.Commit(gitserver.Change{Files: sample(nil)})
	other := s.repo.Commit(gitserver.Change{Files: sample(map[string]string{"o": ""}), Branch: "other"})
	m := s.open(s.httpURL())
	read(t, m, Request{Commit: sha})
	first := currentMirror(t, m)
	m2 := s.open(s.httpURL(), func(c *Config) { c.MirrorDir, c.Branch = m.config.MirrorDir, "other" })
	read(t, m2, Request{Commit: other})
	if currentMirror(t, m2) == first {
		t.Error("the mirror of main was taken for that of other")
	}
}

// Two processes with one directory wait for each other, and a wait ends with its context.
func TestMirrorLock(t *testing.T) {
	dir := t.TempDir()
	home, err := openMirrorHome(t.Context(), dir, "x")
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := openMirrorHome(ctx, dir, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	home.close()
	again, err := openMirrorHome(t.Context(), dir, "x")
	must(t, err)
	again.close()
}
