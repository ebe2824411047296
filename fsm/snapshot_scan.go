package fsm

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// scanSnapshot reads a whole snapshot, hands out its records in their order and
// checks everything that does not take knowing what is in them.
func scanSnapshot(r io.Reader, f snapshotFormats, each func(pb.SnapshotKind, []byte) error) (SnapshotInfo, error) {
	in := newFrameReader(r)
	info, err := in.header(f)
	if err != nil {
		return SnapshotInfo{}, err
	}
	trailer, err := in.records(&info, f, each)
	if err != nil {
		return SnapshotInfo{}, err
	}
	if len(trailer.GetStateHash()) != len(info.StateHash) {
		return SnapshotInfo{}, damaged("its state hash has %d bytes", len(trailer.GetStateHash()))
	}
	info.StateHash = [32]byte(trailer.GetStateHash())
	if err := in.end(); err != nil {
		return SnapshotInfo{}, err
	}
	info.Size = in.size
	return info, nil
}

func (in *frameReader) header(f snapshotFormats) (SnapshotInfo, error) {
	start, err := in.take(len(snapshotMagic) + 4)
	if err != nil {
		return SnapshotInfo{}, err
	}
	if string(start[:len(snapshotMagic)]) != snapshotMagic {
		return SnapshotInfo{}, damaged("it does not begin as a snapshot does")
	}
	format := binary.BigEndian.Uint32(start[len(snapshotMagic):])
	if err := f.check(format); err != nil {
		return SnapshotInfo{}, err
	}
	h := &pb.SnapshotHeader{}
	kind, body, err := in.frame()
	if err != nil {
		return SnapshotInfo{}, err
	}
	if kind != pb.SnapshotKind_SNAPSHOT_KIND_HEADER {
		return SnapshotInfo{}, damaged("it has no header")
	}
	if err := proto.Unmarshal(body, h); err != nil {
		return SnapshotInfo{}, damaged("its header is not readable: %v", err)
	}
	if h.GetStateFormat() == 0 || h.GetStateFormat() > FormatVersion {
		return SnapshotInfo{}, fmt.Errorf("%w: its state has format %d, this build knows up to %d: upgrade this node",
			ErrSnapshotFormat, h.GetStateFormat(), FormatVersion)
	}
	return SnapshotInfo{
		Format: format, StateFormat: h.GetStateFormat(),
		ClusterID: h.GetClusterId(), ClusterName: h.GetClusterName(),
		Index: h.GetIndex(), Term: h.GetTerm(), Epoch: h.GetEpoch(), Time: h.GetNowMs(),
		Records: map[string]uint64{},
	}, nil
}

// records reads up to the trailer, which it returns.
func (in *frameReader) records(info *SnapshotInfo, f snapshotFormats, each func(pb.SnapshotKind, []byte) error) (*pb.SnapshotTrailer, error) {
	var counts [pb.SnapshotKind_SNAPSHOT_KIND_TRAILER]uint64
	total, last := uint64(0), pb.SnapshotKind_SNAPSHOT_KIND_META
	for {
		kind, body, err := in.frame()
		if err != nil {
			return nil, err
		}
		if pb.SnapshotKind_name[int32(kind)] == "" || kind < last {
			return nil, damaged("record %d is of kind %d", total+1, kind)
		}
		if kind == pb.SnapshotKind_SNAPSHOT_KIND_TRAILER {
			for k, n := range counts {
				if n > 0 {
					info.Records[kindName(pb.SnapshotKind(k))] = n
				}
			}
			return trailerOf(body, total)
		}
		if body, err = f.migrate(info.Format, kind, body); err == nil {
			err = each(kind, body)
		}
		if err != nil {
			return nil, fmt.Errorf("record %d, of kind %s: %w", total+1, kindName(kind), err)
		}
		last = kind
		counts[kind]++
		total++
	}
}

func trailerOf(body []byte, records uint64) (*pb.SnapshotTrailer, error) {
	t := &pb.SnapshotTrailer{}
	if err := proto.Unmarshal(body, t); err != nil {
		return nil, damaged("its trailer is not readable: %v", err)
	}
	if t.GetRecords() != records {
		return nil, damaged("it holds %d records of %d", records, t.GetRecords())
	}
	return t, nil
}

// end checks the checksum, and that nothing follows it.
func (in *frameReader) end() error {
	want := in.sum.Sum(nil)
	got, err := in.take(sha256.Size)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return damaged("its checksum does not match")
	}
	switch _, err := in.in.ReadByte(); {
	case err == nil:
		return damaged("something follows its end")
	case errors.Is(err, io.EOF):
		return nil
	default:
		return failed(err)
	}
}
