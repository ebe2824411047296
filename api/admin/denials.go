package admin

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Pacing of the records about denied attempts.
const (
	// denialPause is the least time between two records of this node.
	denialPause = time.Second
	// denialTimeout bounds one try to put a record into the log.
	denialTimeout = 5 * time.Second
	// maxDenialKinds bounds what is told apart until it is on record.
	maxDenialKinds = 256
	// various stands for what is counted together because there is too much of it.
	various = "various"
)

// denial is one kind of denied attempt.
type denial struct {
	identity, authentication, source, method, reason string
}

// denials puts the denied attempts of callers who are known on record, at most
// one record a second: a caller who is denied again and again must not push what
// matters out of the audit. Callers who are not known stand in the log alone.
type denials struct {
	proposer Proposer
	nodeID   func() string
	now      func() time.Time
	logger   *slog.Logger

	mu     sync.Mutex
	counts map[denial]uint32
	// order is in which the kinds are recorded: as they came.
	order []denial
	news  chan struct{}
}

func newDenials(c Config) *denials {
	return &denials{
		proposer: c.Proposer, nodeID: func() string { return c.Membership.Status().NodeID }, now: c.Now, logger: c.Logger,
		counts: map[denial]uint32{}, news: make(chan struct{}, 1),
	}
}

// count adds one denied attempt of a caller who is known.
func (d *denials) count(i Identity, method, reason string) {
	kind := denial{identity: i.Name, authentication: i.Authentication, source: host(i.Source), method: method, reason: reason}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.counts[kind] == 0 && len(d.order) >= maxDenialKinds {
		kind = denial{identity: various, authentication: various, method: various, reason: "too many kinds of denied attempts at once"}
	}
	if d.counts[kind] == 0 {
		d.order = append(d.order, kind)
	}
	d.counts[kind]++
	select {
	case d.news <- struct{}{}:
	default:
	}
}

// host leaves out the port, which is another one for every connection.
func host(source string) string {
	if h, _, err := net.SplitHostPort(source); err == nil {
		return h
	}
	return source
}

// next takes the kind that waits longest; nil if there is none.
func (d *denials) next() *pb.DenialValue {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.order) == 0 {
		return nil
	}
	kind := d.order[0]
	count := d.counts[kind]
	d.order = d.order[1:]
	delete(d.counts, kind)
	return &pb.DenialValue{
		Identity: kind.identity, Authentication: kind.authentication, Source: kind.source,
		Method: kind.method, Reason: kind.reason, Count: count,
	}
}

// run records what is counted until ctx ends.
func (d *denials) run(ctx context.Context) {
	for {
		value := d.next()
		if value == nil {
			select {
			case <-ctx.Done():
				return
			case <-d.news:
				continue
			}
		}
		if !d.record(ctx, value) {
			return
		}
	}
}

// record puts one record into the log, with the same request id until it is
// there, so that it is there once (I3). It reports false when ctx has ended.
func (d *denials) record(ctx context.Context, value *pb.DenialValue) bool {
	now := d.now()
	id, issued := newRequestID(now), now.UnixMilli()
	payload := &pb.Payload{Command: &pb.Payload_RecordDenials{RecordDenials: &pb.RecordDenials{
		NodeId: d.nodeID(), Denials: []*pb.DenialValue{value},
	}}}
	for {
		bounded, cancel := context.WithTimeout(ctx, denialTimeout)
		result, err := d.proposer.Propose(bounded, id, issued, &pb.Caller{Authentication: "system", Source: d.nodeID()}, payload)
		cancel()
		if refusal := result.Refusal; err == nil && refusal != nil {
			d.logger.WarnContext(ctx, "denied attempts cannot be put on record", "error", refusal)
		}
		if !pause(ctx, denialPause) {
			return false
		}
		if err == nil {
			return true
		}
		d.logger.DebugContext(ctx, "denied attempts are not on record yet", "error", err)
	}
}

func pause(ctx context.Context, length time.Duration) bool {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
