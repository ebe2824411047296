package hostile

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

const mib = 1 << 20

// pack is a pack of everything that leads to a commit. An object among others is added by its function instead.
func (s *Site) pack(commit string, others map[string]func(*gitserver.Pack)) *gitserver.Pack {
	s.T.Helper()
	p := gitserver.NewPack()
	seen := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		if other := others[name]; other != nil {
			other(p)
			return
		}
		kind, content := s.Repo.Raw(name)
		p.Whole(kind, content)
		for _, next := range references(kind, content) {
			add(next)
		}
	}
	add(commit)
	return p
}

// sendPush pushes files in the place of the environment's, and has the server send them in a pack of its own: git itself
// refuses to send what is damaged. What raw names is sent as it is, without what it refers to.
func (s *Site) sendPush(files map[string]gitserver.File, raw string) {
	s.T.Helper()
	commit := s.Push(files, folder+"metadata.json")
	s.send(s.pack(commit, map[string]func(*gitserver.Pack){raw: func(p *gitserver.Pack) { p.Whole(s.Repo.Raw(raw)) }}))
}

// send makes the server answer with a pack of its own.
func (s *Site) send(p *gitserver.Pack) { s.sendBytes(p.Bytes()) }

func (s *Site) sendBytes(pack []byte) { s.Server.Behave(gitserver.Fetch, gitserver.SendPack(pack)) }

// references are the objects that an object names.
func references(kind string, content []byte) []string {
	var found []string
	switch kind {
	case "commit":
		for line := range strings.Lines(string(content)) {
			if key, name, _ := strings.Cut(strings.TrimSpace(line), " "); key == "tree" || key == "parent" {
				found = append(found, name)
			}
		}
	case "tree":
		for len(content) > 0 {
			entry, rest, _ := bytes.Cut(content, []byte{0})
			if !bytes.HasPrefix(entry, []byte("160000")) { // a submodule's commit is elsewhere
				found = append(found, hex.EncodeToString(rest[:20]))
			}
			content = rest[20:]
		}
	}
	return found
}

// zeros is a compressed stream of so many MiB of zeros, made without unpacking it: what the second block compresses to
// is what every further one does.
func zeros(size int) []byte {
	var out bytes.Buffer
	out.Write([]byte{0x78, 0x9c})
	w, err := flate.NewWriter(&out, flate.DefaultCompression)
	if err != nil {
		panic(err)
	}
	block := make([]byte, mib)
	write := func() []byte {
		before := out.Len()
		_, _ = w.Write(block) // into a buffer
		_ = w.Flush()
		return bytes.Clone(out.Bytes()[before:])
	}
	write()
	if size > 1 {
		second := write()
		for range size - 2 {
			out.Write(second)
		}
	}
	out.Write([]byte{0x03, 0x00}) // the last block, empty
	sum := uint32(int64(size)*mib%65521)<<16 | 1
	return binary.BigEndian.AppendUint32(out.Bytes(), sum)
}

// bigBlob is a blob of zeros that exists in packs alone.
type bigBlob struct{ size int64 }

func newBigBlob(mibs int) bigBlob { return bigBlob{int64(mibs) * mib} }

// name is what its content hashes to, which takes a while.
func (b bigBlob) name() string { return gitserver.Name("blob", b.size, gitserver.Nothing()) }

func (b bigBlob) whole(p *gitserver.Pack) { p.Deflated("blob", b.size, zeros(int(b.size/mib))) }

// differences is the blob as a chain of deltas on one of a MiB: each makes so much of the one before.
func (b bigBlob) differences(p *gitserver.Pack) {
	base := p.Next()
	p.Deflated("blob", mib, zeros(1))
	p.Delta(base, copies(mib, b.size))
}

// copies is a delta that makes size bytes of a base, by copying its first MiB again and again.
func copies(base, size int64) []byte {
	script := append(varint(base), varint(size)...)
	for range size / mib {
		script = append(script, 0x80|0x40, 0x10) // from 0, 0x100000 bytes
	}
	return script
}

// insert is a delta that makes a text of a base, without using it.
func insert(base int64, text string) []byte {
	script := append(varint(base), varint(int64(len(text)))...)
	for len(text) > 0 {
		n := min(len(text), 127)
		script = append(append(script, byte(n)), text[:n]...)
		text = text[n:]
	}
	return script
}

// varint is a size in a delta.
func varint(n int64) []byte { return binary.AppendUvarint(nil, uint64(n)) }
