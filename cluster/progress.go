package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/honua-io/honua-gitops/internal/durable"
)

const (
	progressFile = "peers.json"
	// progressInterval is between two writes of what changed. What a crash loses of
	// it the other peers still know.
	progressInterval = 30 * time.Second
)

// standing is how far a data directory has come. Neither number ever goes back
// on a disk that is what it was: raft writes both before it answers.
type standing struct {
	Term uint64 `json:"term"`
	// Index is of an entry that the log held and that was committed, or any after it.
	Index uint64 `json:"index"`
}

// peerProgress is the standing of a peer's data directory.
type peerProgress struct {
	Incarnation string `json:"incarnation"`
	standing
}

// progress remembers how far each peer had come, from its answers and from what
// it said itself. A peer that comes back with less runs on an older copy of its
// disk: it has forgotten votes, and entries that were acknowledged with its help.
type progress struct {
	path string

	mu      sync.Mutex
	peers   map[string]peerProgress
	changed bool
}

func openProgress(directory string) (*progress, error) {
	p := &progress{path: filepath.Join(directory, progressFile), peers: map[string]peerProgress{}}
	content, err := os.ReadFile(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &p.peers)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w: delete the file, it is written again", ErrDataDirectory, p.path, err)
	}
	return p, nil
}

// note remembers a standing, if it is further than what is known. Another
// incarnation begins anew.
func (p *progress) note(id, incarnation string, s standing) {
	if id == "" || incarnation == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.peers[id]
	if known.Incarnation != incarnation {
		known = peerProgress{Incarnation: incarnation}
	}
	next := known
	next.Term, next.Index = max(known.Term, s.Term), max(known.Index, s.Index)
	if next != p.peers[id] {
		p.peers[id], p.changed = next, true
	}
}

// of is what is known of a data directory of a node; zero if nothing is.
func (p *progress) of(id, incarnation string) standing {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.peers[id]; known.Incarnation == incarnation {
		return known.standing
	}
	return standing{}
}

// save writes what changed since it was last written.
func (p *progress) save() error {
	p.mu.Lock()
	changed, peers := p.changed, maps.Clone(p.peers)
	p.changed = false
	p.mu.Unlock()
	if !changed {
		return nil
	}
	content, err := json.MarshalIndent(peers, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(p.path, append(content, '\n'))
}

// rememberPeers keeps on disk what this node knows of the others.
func (n *Node) rememberPeers(ctx context.Context) error {
	for pause(ctx, progressInterval) {
		if err := n.progress.save(); err != nil {
			return fmt.Errorf("%w: %w", ErrDataDirectory, err)
		}
	}
	return nil
}

// heard notes what a peer's answer in the raft protocol shows of its disk.
func (n *Node) heard(id raft.ServerID, s standing) {
	if record := n.store.State().Node(string(id)); record != nil {
		n.progress.note(string(id), record.Incarnation, s)
	}
}
