package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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
	// Checksum is that of the rest and of the peer's id, in the file alone; builds before it wrote none.
	Checksum string `json:"checksum,omitempty"`
}

// sealed is the record of a peer with its checksum.
func (p peerProgress) sealed(id string) peerProgress {
	p.Checksum = ""
	p.Checksum = checksumOf(map[string]peerProgress{id: p})
	return p
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

// openProgress reads what was remembered. A damaged file is forgotten: the other peers know the same, and a number
// in it that is too high would have a peer give up a disk that is sound.
func openProgress(directory string, log *slog.Logger) (*progress, error) {
	p := &progress{path: filepath.Join(directory, progressFile), peers: map[string]peerProgress{}}
	content, err := os.ReadFile(p.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDataDirectory, err)
	default:
		peers, ok := parseProgress(content)
		if !ok {
			log.Warn("what was known of how far the other nodes had come is damaged, and is begun anew", "file", p.path)
			break
		}
		p.peers = peers
	}
	return p, nil
}

// parseProgress reads the file; not ok is one that is not what was written.
func parseProgress(content []byte) (peers map[string]peerProgress, ok bool) {
	if err := unmarshalExactly(content, &peers); err != nil || peers == nil {
		return nil, false
	}
	sealed, old := map[string]peerProgress{}, true
	for id, p := range peers {
		old = old && p.Checksum == ""
		sealed[id] = p.sealed(id)
		p.Checksum = ""
		peers[id] = p
	}
	return peers, old || readsAs(content, sealed)
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
	for id, known := range peers {
		peers[id] = known.sealed(id)
	}
	content, err := fileOf(peers)
	if err != nil {
		return err
	}
	return durable.WriteFile(p.path, content)
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
