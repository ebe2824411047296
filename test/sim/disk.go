package sim

import (
	"bytes"
	"maps"
	"slices"

	half "github.com/honua-io/honua-gitops/reconciler/node"
)

// disk is what a node keeps over its process lives. What was written and not
// synced survives the death of the process, but not surely that of the machine.
type disk struct {
	journal  []byte
	unsynced []byte
	// bundles are contents by digest: compressed.
	bundles map[string][]byte
	// renamed are contents whose directory is not synced yet.
	renamed map[string][]byte
	// stored is how much of the log is here; snapshot and its index are of the state.
	stored        uint64
	snapshot      []byte
	snapshotIndex uint64
}

func newDisk() disk {
	return disk{bundles: map[string][]byte{}, renamed: map[string][]byte{}}
}

// write puts bytes into the journal without waiting for the disk.
func (d *disk) write(line []byte) { d.unsynced = append(d.unsynced, line...) }

// sync waits for the disk.
func (d *disk) sync() {
	d.journal = append(d.journal, d.unsynced...)
	d.unsynced = nil
}

// put stores a content; done says that its directory was synced as well.
func (d *disk) put(digest string, compressed []byte, done bool) {
	if done {
		delete(d.renamed, digest)
		d.bundles[digest] = compressed
		return
	}
	d.renamed[digest] = compressed
}

func (d *disk) bundle(digest string) []byte {
	if b, ok := d.bundles[digest]; ok {
		return b
	}
	return d.renamed[digest]
}

// crash is what is left: all of it if only the process died, and else the
// synced part and a beginning of the rest.
func (w *world) crashDisk(d *disk, power bool) {
	if power && len(d.unsynced) > 0 {
		d.unsynced = d.unsynced[:w.random.IntN(len(d.unsynced)+1)]
	}
	d.sync()
	for _, digest := range slices.Sorted(maps.Keys(d.renamed)) {
		if !power || w.chance(0.5) {
			d.bundles[digest] = d.renamed[digest]
		}
	}
	d.renamed = map[string][]byte{}
}

// replay reads the journal as a starting node does: a torn end is cut off,
// damage elsewhere is an error.
func (d *disk) replay() (entries []half.Entry, err error) {
	whole := 0
	for {
		end := bytes.IndexByte(d.journal[whole:], '\n')
		if end < 0 {
			d.journal = d.journal[:whole:whole]
			return entries, nil
		}
		entry, err := half.ParseEntry(d.journal[whole : whole+end+1])
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
		whole += end + 1
	}
}
