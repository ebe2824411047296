package cluster

import (
	"crypto/rand"
	"encoding/json"
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
		if err := json.Unmarshal(data, &i.content); err != nil || i.content.Incarnation == "" {
			return nil, fmt.Errorf("%w: %s is not readable: move the directory away and let the node join anew", ErrDataDirectory, i.path)
		}
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
	data, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return err
	}
	if err := durable.WriteFile(i.path, append(data, '\n')); err != nil {
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
