package cluster

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func testKey(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func openRing(t *testing.T, dir string, configured []byte, log io.Writer) *keyring {
	t.Helper()
	k, err := openKeyring(dir, configured, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A rotation outlives restarts, and the file is nobody else's.
func TestKeyringRotates(t *testing.T) {
	dir, old, fresh := t.TempDir(), testKey(1), testKey(2)
	k := openRing(t, dir, old, io.Discard)
	step := func(operation KeyOperation, key []byte) (Keys, error) {
		return k.change(KeyChange{Operation: operation, Key: key})
	}
	if _, err := step(UseKey, fresh); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("using what is not installed: %v", err)
	}
	if _, err := step(InstallKey, fresh[:31]); !errors.Is(err, ErrBadKey) {
		t.Errorf("a short key: %v", err)
	}
	for range 2 { // each step may be repeated
		if keys, err := step(InstallKey, fresh); err != nil || keys.Primary != KeyFingerprint(old) || len(keys.All) != 2 {
			t.Fatalf("%+v, %v", keys, err)
		}
	}
	k = openRing(t, dir, old, io.Discard)
	if keys, err := step(UseKey, fresh); err != nil || keys.Primary != KeyFingerprint(fresh) {
		t.Fatalf("%+v, %v", keys, err)
	}
	if _, err := step(RemoveKey, fresh); !errors.Is(err, ErrKeyInUse) {
		t.Errorf("removing the key in use: %v", err)
	}
	if keys, err := k.change(KeyChange{Operation: RemoveKey, Fingerprint: KeyFingerprint(old)}); err != nil || !slices.Equal(keys.All, []string{KeyFingerprint(fresh)}) {
		t.Fatalf("%+v, %v", keys, err)
	}
	var log bytes.Buffer
	k = openRing(t, dir, old, &log)
	if keys, err := k.change(KeyChange{}); err != nil || keys.Primary != KeyFingerprint(fresh) {
		t.Errorf("after a restart %+v, %v", keys, err)
	}
	if !strings.Contains(log.String(), "Cluster.GossipKey is none of the keys in use") {
		t.Errorf("log: %s", &log)
	}
	info, err := os.Stat(filepath.Join(dir, keyringFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestKeyringWithoutEncryption(t *testing.T) {
	k := openRing(t, t.TempDir(), nil, io.Discard)
	if _, err := k.change(KeyChange{}); !errors.Is(err, ErrNoKeyring) {
		t.Errorf("%v", err)
	}
}

func TestDamagedKeyringIsNamed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, keyringFile)
	if err := os.WriteFile(path, []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := openKeyring(dir, testKey(1), slog.New(slog.DiscardHandler))
	if !errors.Is(err, ErrDataDirectory) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
}

// A key is used only when all have it, and removed only when none uses it.
func TestStepsOfARotation(t *testing.T) {
	old, fresh := KeyFingerprint(testKey(1)), KeyFingerprint(testKey(2))
	has := func(id, primary string, all ...string) NodeKeys {
		return NodeKeys{NodeID: id, Keys: Keys{Primary: primary, All: all}}
	}
	for name, test := range map[string]struct {
		change KeyChange
		nodes  []NodeKeys
		want   error
	}{
		"all have it":             {KeyChange{Operation: UseKey, Fingerprint: fresh}, []NodeKeys{has("a", old, old, fresh), has("b", fresh, old, fresh)}, nil},
		"one is without it":       {KeyChange{Operation: UseKey, Fingerprint: fresh}, []NodeKeys{has("a", old, old, fresh), has("b", old, old)}, ErrUnknownKey},
		"one does not answer":     {KeyChange{Operation: UseKey, Fingerprint: fresh}, []NodeKeys{has("a", old, old, fresh), {NodeID: "b", Err: ErrUnreachable}}, ErrUnknownKey},
		"nobody uses it":          {KeyChange{Operation: RemoveKey, Fingerprint: old}, []NodeKeys{has("a", fresh, old, fresh), has("b", fresh, fresh)}, nil},
		"one uses it":             {KeyChange{Operation: RemoveKey, Fingerprint: old}, []NodeKeys{has("a", fresh, old, fresh), has("b", old, old, fresh)}, ErrKeyInUse},
		"nobody has it":           {KeyChange{Operation: RemoveKey, Fingerprint: "x"}, []NodeKeys{has("a", fresh, fresh)}, ErrUnknownKey},
		"removed from a minority": {KeyChange{Operation: RemoveKey, Fingerprint: old}, []NodeKeys{has("a", fresh, fresh), has("b", fresh, old, fresh)}, nil},
	} {
		if err := mayChange(test.change, test.nodes); !errors.Is(err, test.want) || test.want == nil && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
