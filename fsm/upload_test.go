package fsm_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/fsm/bundle"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// chunks is an upload of random-looking content in parts of ten bytes.
func chunks(id, seed string) []*pb.UploadChunk {
	text := []byte(seed)
	for range 8 {
		sum := sha256.Sum256(text)
		text = append(text, sum[:]...)
	}
	data, size, digest := content(string(text))
	total := (len(data) + 9) / 10
	var out []*pb.UploadChunk
	for i := range total {
		out = append(out, &pb.UploadChunk{
			UploadId: id, Digest: digest, Sequence: uint32(i), Total: uint32(total), RawSize: size,
			Data: data[i*10 : min(len(data), i*10+10)],
		})
	}
	return out
}

func (l *lab) send(chunks ...*pb.UploadChunk) {
	l.t.Helper()
	for _, c := range chunks {
		l.ok(l.lead(c))
	}
}

func TestUploadInChunks(t *testing.T) {
	l := newLab(t)
	up := chunks("u1", "seed")
	for i, c := range up {
		if got := l.ok(l.lead(c)).Value; got != uint64(i+1) {
			t.Fatalf("chunk %d: %d are there", i, got)
		}
		if i > 0 && i < len(up)-1 {
			l.ok(l.lead(up[i-1])) // a repeated chunk is there already
		}
	}
	b := l.state.Bundle(up[0].GetDigest())
	raw, err := bundle.Decompress(b.Compressed, b.RawSize, b.RawSize)
	if err != nil || bundle.Digest(raw) != b.Digest {
		t.Fatalf("the stored content is not what was sent: %v", err)
	}
	if l.state.Upload("u1") != nil {
		t.Fatal("the finished upload is still there")
	}
	l.ok(l.lead(chunks("u2", "seed")[3])) // the content is there: nothing to send
}

func TestChunksOfTwoUploadsNeverMix(t *testing.T) {
	l := newLab(t)
	one, two := chunks("u1", "seed"), chunks("u2", "seed")
	l.send(one[:3]...)
	l.refused(l.lead(two[3]), fsm.ClassAborted, "chunk_out_of_order")
	l.refused(l.lead(one[4]), fsm.ClassAborted, "chunk_out_of_order")
	l.send(two[0]) // another attempt at the same content ends the first
	l.refused(l.lead(one[3]), fsm.ClassAborted, "chunk_out_of_order")
	other := chunks("u2", "other")
	l.refused(l.lead(other[1]), fsm.ClassAborted, "chunk_out_of_order")
	l.send(two[1:]...)
	if l.state.Bundle(two[0].GetDigest()) == nil {
		t.Fatal("the second attempt is not stored")
	}
}

func TestLaterTermDropsUnfinishedUploads(t *testing.T) {
	l := newLab(t)
	up := chunks("u1", "seed")
	l.send(up[:3]...)
	unused := l.upload("uploaded, never used")
	stale := l.term
	l.newTerm()
	l.ok(l.ask("ann", &pb.RequestPoll{Environment: "production"})) // any entry of the new term
	if l.state.Upload("u1") != nil || l.state.Bundle(unused) != nil {
		t.Fatal("what the earlier term left behind is still there")
	}
	r := l.apply(fsm.Header{Proposer: "a", Term: stale, ProposedAt: l.now}, up[3])
	l.refused(r, fsm.ClassAborted, "stale_term")
	l.refused(l.lead(up[3]), fsm.ClassAborted, "chunk_out_of_order")
}

func TestBadUploads(t *testing.T) {
	l := newLab(t)
	small := settings(environment("production", plainPolicy()))
	small.MaxBundleBytes = 1000
	l.ok(l.ask("admin", &pb.SetSettings{Settings: small}))
	data, size, digest := content("text")
	big, bigSize, bigDigest := content(string(bytes.Repeat([]byte("x"), 5000)))
	zeros := hex.EncodeToString(make([]byte, 32))
	for name, test := range map[string]struct {
		chunk  *pb.UploadChunk
		class  fsm.Class
		reason string
	}{
		"no data":             {&pb.UploadChunk{UploadId: "u", Digest: digest, Total: 1, RawSize: size}, fsm.ClassInvalid, "bad_chunk"},
		"chunk too big":       {&pb.UploadChunk{UploadId: "u", Digest: digest, Total: 1, RawSize: size, Data: make([]byte, fsm.MaxChunk+1)}, fsm.ClassInvalid, "bad_chunk"},
		"no id":               {&pb.UploadChunk{Digest: digest, Total: 1, RawSize: size, Data: data}, fsm.ClassInvalid, "bad_chunk"},
		"no digest":           {&pb.UploadChunk{UploadId: "u", Digest: "ab", Total: 1, RawSize: size, Data: data}, fsm.ClassInvalid, "bad_chunk"},
		"too large":           {&pb.UploadChunk{UploadId: "u", Digest: bigDigest, Total: 1, RawSize: bigSize, Data: big}, fsm.ClassExhausted, "bundle_too_large"},
		"larger than it says": {&pb.UploadChunk{UploadId: "u", Digest: bigDigest, Total: 1, RawSize: 100, Data: big}, fsm.ClassInvalid, "bundle_unreadable"},
		"too many":            {&pb.UploadChunk{UploadId: "u", Digest: digest, Total: 1000, RawSize: size, Data: data}, fsm.ClassExhausted, "bundle_too_large"},
		"none":                {&pb.UploadChunk{UploadId: "u", Digest: digest, RawSize: size, Data: data}, fsm.ClassExhausted, "bundle_too_large"},
		"I6 other bytes":      {&pb.UploadChunk{UploadId: "u", Digest: zeros, Total: 1, RawSize: size, Data: data}, fsm.ClassInvalid, "bundle_digest"},
		"garbage":             {&pb.UploadChunk{UploadId: "u", Digest: digest, Total: 1, RawSize: size, Data: []byte("garbage")}, fsm.ClassInvalid, "bundle_unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			l.refused(l.lead(test.chunk), test.class, test.reason)
		})
	}
}
