package leader

import (
	"slices"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Desk is what the leader half knows and has under way in one term. It has no
// goroutine, no clock and no network of its own, and belongs to one goroutine:
// Lead carries out what it says, and so does the simulator, on simulated time.
type Desk struct {
	inflight map[string]bool
	// rests is until when, as Surroundings.Uptime has it, what came to nothing
	// is not tried again.
	rests        map[string]time.Duration
	peers        map[string]Peer
	polls        map[string]Poll
	candidates   map[string]*Candidate
	answers      map[Question]Answer
	clockTrusted bool
}

// NewDesk returns the Desk of a term that begins.
func NewDesk() *Desk {
	return &Desk{
		inflight: map[string]bool{}, rests: map[string]time.Duration{}, peers: map[string]Peer{}, polls: map[string]Poll{},
		candidates: map[string]*Candidate{}, answers: map[Question]Answer{},
	}
}

// Surroundings is what a look finds, besides what the Desk was told.
type Surroundings struct {
	State *fsm.State
	// Format is the newest that this build knows.
	Format uint32
	// Now is this node's clock, Unix milliseconds. Uptime is a clock that nobody sets.
	Now    int64
	Uptime time.Duration
	// Voters and Members are the ids of the raft configuration.
	Voters, Members []string
	// Silence is how long raft has not heard of a member; 0 for this node.
	Silence func(id string) time.Duration
}

// Work is one thing to be done: exactly one of its pointers is set.
type Work struct {
	Key      string
	Proposal *pb.Payload
	Question *Question
	Upload   *Candidate
}

// Agenda is what a look comes to.
type Agenda struct {
	// Begin is to be done now. Each is under way until its key is finished.
	Begin []Work
	// Reread are the branches that are to be polled again.
	Reread []string
	// Wake is how long nothing but news can change the agenda.
	Wake time.Duration
	// Resting: something is left out for now, because it came to nothing before.
	Resting bool
	// ClockLost: from this look on the clock is not trusted. Skew is how far it is off.
	ClockLost bool
	Skew      time.Duration
}

// idle is how long a look lasts that nothing limits.
const idle = time.Hour

// Look plans, and puts under way what is not.
func (d *Desk) Look(s Surroundings) Agenda {
	in := d.inputs(s)
	agenda := Agenda{Wake: idle}
	agenda.Skew, agenda.ClockLost = d.judgeClock(s.Voters)
	in.ClockTrusted = d.clockTrusted
	decided := Plan(in)
	if decided.Wake > 0 {
		agenda.Wake = max(time.Millisecond, time.Duration(decided.Wake-s.Now)*time.Millisecond)
	}
	agenda.Reread = decided.Reread
	for _, p := range decided.Proposals {
		d.begin(&agenda, s.Uptime, Work{Key: p.Key, Proposal: p.Payload})
	}
	for _, q := range decided.Questions {
		d.begin(&agenda, s.Uptime, Work{Key: q.key(), Question: &q})
	}
	for _, environment := range decided.Uploads {
		c := d.candidates[environment]
		d.begin(&agenda, s.Uptime, Work{Key: "upload/" + c.Digest, Upload: c})
	}
	return agenda
}

// begin adds work to the agenda, unless the same is under way or rests.
func (d *Desk) begin(agenda *Agenda, uptime time.Duration, w Work) {
	if rest := d.rests[w.Key] - uptime; rest > 0 {
		agenda.Wake, agenda.Resting = min(agenda.Wake, rest), true
		return
	}
	if d.Begin(w.Key, uptime) {
		agenda.Begin = append(agenda.Begin, w)
	}
}

// Begin puts work under way that is not on any agenda; false if the same is, or rests.
func (d *Desk) Begin(key string, uptime time.Duration) bool {
	if d.rests[key] > uptime || d.inflight[key] {
		return false
	}
	delete(d.rests, key)
	d.inflight[key] = true
	return true
}

// inputs is what Plan looks at, but for the judgement of the clock.
func (d *Desk) inputs(s Surroundings) Inputs {
	for q := range d.answers {
		if operationOf(s.State, q) == nil {
			delete(d.answers, q)
		}
	}
	for id := range d.peers {
		if !slices.Contains(s.Members, id) {
			delete(d.peers, id)
		}
	}
	for _, id := range s.Members {
		peer := d.peers[id]
		peer.SilentMs = s.Silence(id).Milliseconds()
		d.peers[id] = peer
	}
	return Inputs{
		State: s.State, Format: s.Format, Now: s.Now, Voters: s.Voters, Members: s.Members, Peers: d.peers,
		Polls: d.polls, Candidates: d.candidates, Answers: d.answers,
	}
}

// judgeClock compares this clock with the voters'. A leader whose clock is off
// takes no decision that depends on the time, and says so once.
func (d *Desk) judgeClock(voters []string) (skew time.Duration, lost bool) {
	var skews []time.Duration
	for _, id := range voters {
		if peer := d.peers[id]; peer.Status != nil {
			skews = append(skews, peer.skew)
		}
	}
	trusted := true
	if len(skews) > 0 {
		slices.Sort(skews)
		skew = skews[len(skews)/2]
		trusted = skew.Abs() <= maxSkew
	}
	lost = !trusted && d.clockTrusted
	d.clockTrusted = trusted
	return skew, lost
}

// Idle reports whether nothing is under way.
func (d *Desk) Idle() bool { return len(d.inflight) == 0 }

// Finish ends work. What came to nothing rests before it is tried again.
func (d *Desk) Finish(key string, uptime time.Duration, came bool) {
	delete(d.inflight, key)
	if !came {
		d.rests[key] = uptime + retryPause
	}
}

// Executed takes in that the state machine executed a proposal.
func (d *Desk) Executed(payload *pb.Payload) {
	poll := payload.GetObservePoll()
	if poll == nil {
		return
	}
	if p := d.polls[poll.GetBranch()]; p.Generation == poll.GetGeneration() && p.NextPoll == poll.GetNextPollMs() {
		delete(d.polls, poll.GetBranch())
	}
}

// Answered takes in what a node said.
func (d *Desk) Answered(q Question, a Answer) { d.answers[q] = a }

// Heard takes in a member's status, which arrived at a time of this node's clock, Unix milliseconds.
func (d *Desk) Heard(id string, status *pb.GetNodeStatusResponse, at int64) {
	peer := d.peers[id]
	peer.Status, peer.skew = status, time.Duration(status.GetNowMs()-at)*time.Millisecond
	d.peers[id] = peer
}

// Polled takes in a poll and what it found. A poll that succeeded says
// everything about its branch: what an earlier one found, or could not read,
// does not count any more.
func (d *Desk) Polled(poll Poll, found []*Candidate) {
	d.polls[poll.Branch] = poll
	if poll.Code == "" {
		for environment, c := range d.candidates {
			if c.Branch == poll.Branch {
				delete(d.candidates, environment)
			}
		}
	}
	for _, c := range found {
		d.candidates[c.Environment] = c
	}
}

// SettingsChanged forgets what polls found: by other limits, branches or policies it may mean something else. What
// was not put on record is found again by the polls that begin now.
func (d *Desk) SettingsChanged() {
	clear(d.polls)
	clear(d.candidates)
}

// Faulty reports whether the state machine refused a content for what it is.
func Faulty(refusal *fsm.Refusal) bool {
	return refusal.Class == fsm.ClassExhausted || refusal.Class == fsm.ClassInvalid
}

// Refused takes in that a content was refused for what it is: it fails its checks.
func (d *Desk) Refused(c *Candidate, refusal *fsm.Refusal) {
	failed := *c
	failed.Encoded, failed.Problems, failed.ReasonCode = nil, []string{refusal.Message}, refusal.Reason
	d.candidates[c.Environment] = &failed
}
