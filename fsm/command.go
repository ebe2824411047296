package fsm

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Entry is one committed log entry.
type Entry struct {
	Index uint64
	Term  uint64
	// Data is an encoded Envelope.
	Data []byte
}

// Result is what a command came to.
type Result struct {
	// Index is the raft index at which it was executed.
	Index uint64
	// Refusal is set when it was refused; nothing else is then.
	Refusal *Refusal
	// DeploymentID and Environment name what was changed.
	DeploymentID string
	Environment  string
	// Sequence is the environment's after the command.
	Sequence uint64
	// Value depends on the command: a poll generation, an activation index.
	Value uint64
	// Replayed: the request had been executed before; this is its first result.
	Replayed bool
	Message  string
}

// Err returns the refusal as an error, or nil.
func (r Result) Err() error {
	if r.Refusal == nil {
		return nil
	}
	return r.Refusal
}

// ErrEnvelope is a command that could not be made.
var ErrEnvelope = errors.New("the command cannot be encoded")

// Header is what travels with a command.
type Header struct {
	// Format is the one in force where the command is made; 0 is FirstFormat.
	Format     uint32
	RequestID  string
	IssuedAt   int64
	Proposer   string
	Term       uint64
	ProposedAt int64
	Caller     *pb.Caller
}

// Encode makes the log entry of a command.
func Encode(h Header, payload *pb.Payload) ([]byte, error) {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	sum := sha256.Sum256(body)
	data, err := proto.Marshal(&pb.Envelope{
		Format:       max(h.Format, FirstFormat),
		RequestId:    h.RequestID,
		IssuedAtMs:   h.IssuedAt,
		Checksum:     sum[:],
		Proposer:     h.Proposer,
		Term:         h.Term,
		ProposedAtMs: h.ProposedAt,
		Payload:      body,
		Caller:       h.Caller,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	return data, nil
}

// Restamp sets the proposed-at time of an entry, Unix milliseconds. The leader
// does it for what another node forwards: the replicated clock follows the
// leaders' clocks alone, so that one node with a wrong clock cannot expire
// approvals. Of a field that is there twice, protobuf takes the last.
func Restamp(data []byte, proposedAt int64) []byte {
	data = protowire.AppendTag(slices.Clip(data), proposedAtField, protowire.VarintType)
	return protowire.AppendVarint(data, uint64(proposedAt))
}

// proposedAtField is Envelope.proposed_at_ms.
const proposedAtField = 7

// decode opens an entry. Every error means that the entry must not be skipped.
func decode(e Entry) (*pb.Envelope, *pb.Payload, error) {
	fatal := func(format string, args ...any) (*pb.Envelope, *pb.Payload, error) {
		return nil, nil, &FatalError{Index: e.Index, Reason: fmt.Sprintf(format, args...)}
	}
	envelope := &pb.Envelope{}
	if err := proto.Unmarshal(e.Data, envelope); err != nil {
		return fatal("it is not a command: %v", err)
	}
	sum := sha256.Sum256(envelope.GetPayload())
	if !bytes.Equal(sum[:], envelope.GetChecksum()) {
		return fatal("its checksum does not match: the log of this node is damaged")
	}
	if envelope.GetFormat() == 0 || envelope.GetFormat() > FormatVersion {
		return fatal("its format is %d, this build knows up to %d: upgrade this node", envelope.GetFormat(), FormatVersion)
	}
	payload := &pb.Payload{}
	if err := proto.Unmarshal(envelope.GetPayload(), payload); err != nil {
		return fatal("its payload is not readable: %v", err)
	}
	if payload.GetCommand() == nil && !envelope.GetIgnorable() {
		return fatal("its payload is of a kind that this build does not know: upgrade this node")
	}
	return envelope, payload, nil
}

// Peek opens an encoded command without executing it.
func Peek(data []byte) (*pb.Caller, *pb.Payload, error) {
	envelope, payload, err := decode(Entry{Data: data})
	if err != nil {
		return nil, nil, err
	}
	return envelope.GetCaller(), payload, nil
}

// EncodeResult is the form in which a result travels between nodes.
func EncodeResult(r Result) ([]byte, error) {
	return proto.Marshal(resultMessage(r))
}

// DecodeResult reads what EncodeResult wrote.
func DecodeResult(data []byte) (Result, error) {
	m := &pb.CommandResult{}
	if err := proto.Unmarshal(data, m); err != nil {
		return Result{}, fmt.Errorf("a peer's result is not readable: %w", err)
	}
	return resultOf(m), nil
}

func resultMessage(r Result) *pb.CommandResult {
	m := &pb.CommandResult{
		Index: r.Index, DeploymentId: r.DeploymentID, Environment: r.Environment,
		Sequence: r.Sequence, Value: r.Value, Replayed: r.Replayed, Message: r.Message,
	}
	if r.Refusal != nil {
		m.Refusal, m.Reason, m.Message = string(r.Refusal.Class), r.Refusal.Reason, r.Refusal.Message
	}
	return m
}

func resultOf(m *pb.CommandResult) Result {
	r := Result{
		Index: m.GetIndex(), DeploymentID: m.GetDeploymentId(), Environment: m.GetEnvironment(),
		Sequence: m.GetSequence(), Value: m.GetValue(), Replayed: m.GetReplayed(), Message: m.GetMessage(),
	}
	if m.GetRefusal() != "" {
		r.Refusal = &Refusal{Class: Class(m.GetRefusal()), Reason: m.GetReason(), Message: m.GetMessage()}
		r.Message = ""
	}
	return r
}
