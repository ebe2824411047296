package cluster

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/honua-io/honua-gitops/internal/durable"
)

const identityFile = "incarnation"

// identity is what tells this data directory from a later one of the same node
// id. A node that lost its log has forgotten its votes, and must not be taken
// for the one that cast them.
type identity struct {
	path string

	mu      sync.Mutex
	content identityContent
}

type identityContent struct {
	Incarnation string `json:"incarnation"`
	// ClusterID is empty until the cluster's first command was applied here.
	ClusterID string `json:"clusterId,omitempty"`
	// Started is set before raft first runs in this directory: an empty log
	// with it set is a lost log.
	Started bool `json:"started,omitempty"`
	// Founders are the incarnations that this node bootstrapped the cluster
	// with. It vouches for them until they are registered.
	Founders map[string]string `json:"founders,omitempty"`
	// Checksum is that of the rest; builds before it wrote none.
	Checksum string `json:"checksum,omitempty"`
}

// sealed is the content with its checksum.
func (c identityContent) sealed() identityContent {
	c.Checksum = ""
	c.Checksum = checksumOf(c)
	return c
}

// parseIdentity reads the file; not ok is one that is not what was written.
func parseIdentity(data []byte) (c identityContent, ok bool) {
	if err := unmarshalExactly(data, &c); err != nil || c.Incarnation == "" {
		return c, false
	}
	return c, c.Checksum == "" || readsAs(data, c.sealed())
}

// openIdentity reads the file, or begins a new incarnation when there is none
// or the log that belonged to it is gone.
func openIdentity(directory string, hasState bool) (*identity, error) {
	i := &identity{path: filepath.Join(directory, identityFile)}
	data, err := os.ReadFile(i.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDataDirectory, err)
	default:
		content, ok := parseIdentity(data)
		if !ok {
			return nil, fmt.Errorf("%w: %s is damaged: %s", ErrDataDirectory, i.path, joinAnew)
		}
		i.content = content
	}
	if i.content.Incarnation != "" && (hasState || !i.content.Started) {
		return i, nil
	}
	return i, i.update(func(c *identityContent) {
		*c = identityContent{Incarnation: newUUID(), Started: hasState}
	})
}

func (i *identity) get() identityContent {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.content
}

// update changes the content, on disk first.
func (i *identity) update(change func(*identityContent)) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	next := i.content
	change(&next)
	data, err := fileOf(next.sealed())
	if err != nil {
		return err
	}
	if err := durable.WriteFile(i.path, data); err != nil {
		return fmt.Errorf("%w: %w", ErrDataDirectory, err)
	}
	i.content = next
	return nil
}

// newUUID returns a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
