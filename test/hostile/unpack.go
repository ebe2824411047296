package hostile

import (
	"bytes"
	"crypto/sha1" // Git's checksums
	"encoding/binary"
	"strings"

	"github.com/honua-io/honua-gitops/test/gitserver"
)

// unpack is a case in which the server sends a pack of its own.
func unpack(class Class, name, code string, attack func(s *Site)) Case {
	return Case{Class: class, Phase: Unpack, Name: name, Code: code, Attack: attack}
}

// altered is a case in which a proper pack is changed on its way, in a frame that is right.
func altered(class Class, name, code string, change func(pack []byte) []byte) Case {
	return unpack(class, name, code, func(s *Site) { s.sendBytes(change(s.pack(s.Push(nil), nil).Bytes())) })
}

// resum gives a pack the checksum that it should have.
func resum(pack []byte) []byte {
	body := pack[:len(pack)-20]
	sum := sha1.Sum(body)
	return append(bytes.Clone(body), sum[:]...)
}

// withFile is a case of a commit whose file in the environment's folder is in the pack in a form of its own.
func withFile(class Class, phase Phase, name, code, path string, named func() string, add func(*gitserver.Pack)) Case {
	return Case{Class: class, Phase: phase, Name: name, Code: code, Attack: func(s *Site) {
		object := named()
		commit := s.Push(map[string]gitserver.File{path: {SHA: object}})
		s.send(s.pack(commit, map[string]func(*gitserver.Pack){object: add}))
	}}
}

func unpackCases() []Case {
	big := newBigBlob(128)
	return []Case{
		unpack(Floods, "more behind its end", "garbage_answer", func(s *Site) {
			s.sendBytes(append(s.pack(s.Push(nil), nil).Bytes(), "more and more"...))
		}),
		altered(Garbage, "no pack", "garbage_answer", func([]byte) []byte { return []byte(strings.Repeat("JUNK", 100)) }),
		unpack(Garbage, "object of an unknown kind", "garbage_answer", func(s *Site) {
			s.send(s.pack(s.Push(nil), nil).Unknown(5, []byte("what is it?")))
		}),
		unpack(Garbage, "object of another size", "garbage_answer", func(s *Site) {
			s.send(s.pack(s.Push(nil), nil).Stream("blob", 1000, strings.NewReader("short")))
		}),
		unpack(Garbage, "object of more than its size", "garbage_answer", func(s *Site) {
			s.send(s.pack(s.Push(nil), nil).Stream("blob", 2, strings.NewReader("long")))
		}),
		unpack(Garbage, "delta that copies from beyond its base", "garbage_answer", func(s *Site) {
			p := s.pack(s.Push(nil), nil)
			base := p.Next()
			s.send(p.Whole("blob", []byte("base")).Delta(base, append(append(varint(4), varint(100)...), 0x91, 0x01, 0x64)))
		}),
		unpack(Garbage, "delta for another base", "garbage_answer", func(s *Site) {
			p := s.pack(s.Push(nil), nil)
			base := p.Next()
			s.send(p.Whole("blob", []byte("base")).Delta(base, insert(5, "x")))
		}),
		unpack(Empty, "no object", "commit_not_found", func(s *Site) {
			s.Push(nil)
			s.send(gitserver.NewPack())
		}),
		altered(Truncated, "in an object", "garbage_answer", func(p []byte) []byte { return p[:len(p)/2] }),
		altered(Truncated, "without checksum", "garbage_answer", func(p []byte) []byte { return p[:len(p)-20] }),
		altered(Corrupt, "flipped bits", "garbage_answer", func(p []byte) []byte { p[len(p)/2] ^= 0x10; return p }),
		altered(Corrupt, "wrong checksum", "garbage_answer", func(p []byte) []byte { p[len(p)-1] ^= 1; return p }),
		unpack(Missing, "base of a delta", "garbage_answer", func(s *Site) {
			s.send(s.pack(s.Push(nil), nil).DeltaOf(strings.Repeat("12", 20), insert(4, "x")))
		}),
		unpack(Rewritten, "pack of commits that nobody asked for", Accepted, func(s *Site) {
			p := s.pack(s.Push(nil), nil)
			s.send(p.Whole("commit", []byte("tree "+strings.Repeat("0", 40)+"\n\nno parents\n")))
		}),
		unpack(Bombs, "four billion objects", "transfer_too_large", func(s *Site) {
			p := s.pack(s.Push(nil), nil)
			p.Count = func(uint32) uint32 { return 0xffffffff }
			s.send(p)
		}),
		withFile(Bombs, Unpack, "delta of 128 MiB elsewhere", Accepted, "elsewhere/zeros", big.name, big.differences),
		unpack(Bombs, "deltas of 16 GiB in all", "transfer_too_large", func(s *Site) {
			p := s.pack(s.Push(nil), nil)
			base := p.Next()
			p.Deflated("blob", mib, zeros(1))
			for range 16 {
				p.Delta(base, copies(mib, 1024*mib))
			}
			s.send(p)
		}),
		unpack(Bombs, "chain of 5,000 deltas", "garbage_answer", func(s *Site) {
			p := s.pack(s.Push(nil), nil)
			base := p.Next()
			p.Whole("blob", []byte("0"))
			for range 5000 {
				next := p.Next()
				p.Delta(base, insert(1, "1"))
				base = next
			}
			s.send(p)
		}),
		withFile(Oversized, Unpack, "blob of 128 MiB elsewhere", Accepted, "elsewhere/zeros", big.name, big.whole),
		altered(Foreign, "pack of version 4", "garbage_answer", func(p []byte) []byte {
			binary.BigEndian.PutUint32(p[4:], 4)
			return resum(p)
		}),
	}
}
