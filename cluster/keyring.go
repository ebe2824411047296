package cluster

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/hashicorp/memberlist"

	"github.com/honua-io/honua-gitops/internal/durable"
)

// KeyOperation is a step of a rotation of the gossip keys.
type KeyOperation string

// The steps: every node understands the new key, then encrypts with it, then
// forgets the old one.
const (
	ListKeys   KeyOperation = ""
	InstallKey KeyOperation = "install"
	UseKey     KeyOperation = "use"
	RemoveKey  KeyOperation = "remove"
)

// What a change of the gossip keys can fail with.
var (
	ErrNoKeyring  = errors.New("gossip is not encrypted: set Cluster.GossipKey on every node and restart them one after the other")
	ErrBadKey     = errors.New("not a gossip key of 16, 24 or 32 bytes")
	ErrUnknownKey = errors.New("no such gossip key")
	ErrKeyInUse   = errors.New("the gossip key is in use")
)

// KeyChange is one step, about a key or, where it is known already, its fingerprint.
type KeyChange struct {
	Operation   KeyOperation
	Key         []byte
	Fingerprint string
}

// Keys are the keys that one node has, by their fingerprints.
type Keys struct {
	// Primary encrypts.
	Primary string
	All     []string
}

// KeyFingerprint tells keys apart without showing them.
func KeyFingerprint(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// keyringFile holds the keys, the primary one first, over restarts; 0600.
const keyringFile = "gossip.keyring"

// keyring is the keys of this node, in memory and on disk.
type keyring struct {
	path string
	mu   sync.Mutex
	ring *memberlist.Keyring
}

// openKeyring returns nil if gossip is not encrypted. What a rotation left on
// disk comes before the configured key, which only begins a cluster.
func openKeyring(directory string, configured []byte, log *slog.Logger) (*keyring, error) {
	if len(configured) == 0 {
		return nil, nil
	}
	k := &keyring{path: filepath.Join(directory, keyringFile)}
	keys, err := k.read()
	if errors.Is(err, fs.ErrNotExist) {
		keys, err = [][]byte{configured}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDataDirectory, k.path, err)
	}
	if !slices.ContainsFunc(keys, func(key []byte) bool { return bytes.Equal(key, configured) }) {
		log.Warn("Cluster.GossipKey is none of the keys in use, which were rotated since: configure the one in use, or remove the file to begin with the configured one",
			"file", k.path, "in_use", KeyFingerprint(keys[0]), "configured", KeyFingerprint(configured))
	}
	k.ring, err = memberlist.NewKeyring(keys[1:], keys[0])
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDataDirectory, k.path, err)
	}
	return k, nil
}

func (k *keyring) read() ([][]byte, error) {
	data, err := os.ReadFile(k.path)
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	if err := json.Unmarshal(data, &keys); err != nil || len(keys) == 0 {
		return nil, errors.New("it is not readable; remove it to begin with Cluster.GossipKey")
	}
	return keys, nil
}

// change makes one step: on disk first, so that a node that dies in between has done it.
func (k *keyring) change(c KeyChange) (Keys, error) {
	if k == nil {
		return Keys{}, ErrNoKeyring
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.Operation == ListKeys {
		return k.list(), nil
	}
	key, err := k.find(c)
	if err != nil {
		return k.list(), err
	}
	primary := bytes.Equal(key, k.ring.GetPrimaryKey())
	if c.Operation == RemoveKey && primary {
		return k.list(), fmt.Errorf("%w: use another one first", ErrKeyInUse)
	}
	if err := k.write(k.after(c.Operation, key)); err != nil {
		return k.list(), err
	}
	switch c.Operation {
	case InstallKey:
		err = k.ring.AddKey(key)
	case UseKey:
		err = k.ring.UseKey(key)
	default:
		err = k.ring.RemoveKey(key)
	}
	return k.list(), err
}

// find returns the key that a change is about.
func (k *keyring) find(c KeyChange) ([]byte, error) {
	if c.Operation == InstallKey {
		if err := memberlist.ValidateKey(c.Key); err != nil {
			return nil, ErrBadKey
		}
		return c.Key, nil
	}
	if c.Fingerprint == "" {
		c.Fingerprint = KeyFingerprint(c.Key)
	}
	for _, key := range k.ring.GetKeys() {
		if KeyFingerprint(key) == c.Fingerprint {
			return key, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrUnknownKey, c.Fingerprint)
}

// after are the keys after a step, the primary one first.
func (k *keyring) after(operation KeyOperation, key []byte) [][]byte {
	others := slices.DeleteFunc(slices.Clone(k.ring.GetKeys()), func(other []byte) bool { return bytes.Equal(other, key) })
	switch operation {
	case UseKey:
		return append([][]byte{key}, others...)
	case InstallKey:
		return append(others, key)
	}
	return others
}

func (k *keyring) write(keys [][]byte) error {
	data, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	return durable.WriteFile(k.path, data)
}

func (k *keyring) list() Keys {
	found := Keys{Primary: KeyFingerprint(k.ring.GetPrimaryKey())}
	for _, key := range k.ring.GetKeys() {
		found.All = append(found.All, KeyFingerprint(key))
	}
	slices.Sort(found.All)
	return found
}
