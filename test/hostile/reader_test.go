package hostile

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	"github.com/honua-io/honua-gitops/reconciler/leader"
	"github.com/honua-io/honua-gitops/test/harness"
)

// maxResident bounds the memory of the fetching process in every case; with what is left the node stays under 512 MB.
const maxResident = 256 << 20

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// reader reads a site as a leader does, and remembers what its processes needed.
type reader struct {
	t      *testing.T
	config gitsync.Config
	peak   *peak
}

// peak takes the memory of fetching processes out of the log.
type peak struct {
	mu    sync.Mutex
	bytes int64
}

func (p *peak) Write(line []byte) (int, error) {
	var said struct {
		Resident int64 `json:"max_rss_bytes"`
	}
	if err := json.Unmarshal(line, &said); err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes = max(p.bytes, said.Resident)
	return len(line), nil
}

func (p *peak) highest() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes
}

func newReader(t *testing.T, url string) *reader {
	t.Helper()
	p := &peak{}
	return &reader{t: t, peak: p, config: gitsync.Config{
		URL: url, Branch: branch, MirrorDir: filepath.Join(t.TempDir(), "mirror"), Executable: harness.Binary(t),
		Logger: slog.New(slog.NewJSONHandler(p, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}}
}

// outcome is what the head of the branch comes to for an environment.
type outcome struct {
	code, text string
	reading    *gitsync.Reading
}

// look polls the site and reads what its branch says for both environments together, with limits of its own, deployed
// being what is served.
func (r *reader) look(deployed string, limits gitsync.Limits) (attacked, neighbour outcome) {
	r.t.Helper()
	config := r.config
	config.Limits = limits
	m, err := gitsync.Open(config)
	if err != nil {
		r.t.Fatal(err)
	}
	defer m.Close()
	head, err := m.Head(context.Background())
	if err != nil {
		o := outcome{code: gitsync.Code(err), text: err.Error()}
		return o, o
	}
	found := map[string]outcome{}
	var requests []gitsync.Request
	for _, name := range []string{Environment, Neighbour} {
		requests = append(requests, gitsync.Request{Commit: head, Deployed: deployed, Environment: name})
	}
	m.ReadEach(context.Background(), requests, func(i int, reading *gitsync.Reading, err error) {
		found[requests[i].Environment] = meaning(requests[i], reading, err)
	})
	return found[Environment], found[Neighbour]
}

// meaning is what a leader makes of what was read.
func meaning(request gitsync.Request, reading *gitsync.Reading, err error) outcome {
	env := &fsm.Environment{Name: request.Environment, Branch: branch}
	lookout := leader.NewLookout(&fsm.Settings{}, branch)
	c := lookout.Find(fsm.New(), env, request.Commit, func(gitsync.Request) (*gitsync.Reading, error) { return reading, err }).Candidate
	o := outcome{code: Accepted, text: strings.Join(append(c.Problems, c.Err), "\n"), reading: reading}
	switch {
	case c.Absent:
		o.code = Absent
	case c.Code != "":
		o.code = c.Code
	case c.ReasonCode != "":
		o.code = c.ReasonCode
	}
	return o
}

func (c Case) limits() gitsync.Limits {
	limits := gitsync.Limits{FetchTimeout: 5 * time.Minute} // whatever else the machine does
	if c.Slow {
		limits.FetchTimeout = 1500 * time.Millisecond
	}
	if c.Limits != nil {
		c.Limits(&limits)
	}
	return limits
}

// inherited is what a process that has just been started counts as its highest memory already: its parent's, which
// Linux passes on (exec_mmap in fs/exec.c). With the race detector the parent, this test, is the larger one.
func inherited() int64 {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return 0
	}
	return own.Maxrss << 10
}

// Attack class × phase: each case comes to its error, within the memory, shows nothing that is hidden, deletes nothing
// (I17), and is over when the server and the branch are good again.
func TestHostileRepositories(t *testing.T) {
	t.Parallel()
	for _, c := range Cases() {
		t.Run(c.ID(), func(t *testing.T) {
			t.Parallel()
			s := NewSite(t)
			r := newReader(t, s.URL)
			if o, _ := r.look("", gitsync.Limits{}); o.code != Accepted {
				t.Fatalf("the good commit: %s: %s", o.code, o.text)
			}
			deployed := s.Good
			c.Attack(s)
			o, neighbour := r.look(deployed, c.limits())
			if !c.Comes(o.code) {
				t.Fatalf("it comes to %s, not to %s: %s", o.code, c.Code, o.text)
			}
			if c.Local() && neighbour.code != Accepted {
				t.Errorf("the other environment comes to %s: %s", neighbour.code, neighbour.text)
			}
			if c.Check != nil {
				if err := c.Check(o.reading); err != nil {
					t.Error(err)
				}
			}
			if strings.ContainsAny(o.text, "\x00\x1b\u202e") || len(o.text) > 100_000 {
				t.Errorf("the error is %q", o.text)
			}
			if bytes := r.peak.highest(); bytes > max(maxResident, inherited()) {
				t.Errorf("it took %d MiB", bytes>>20)
			}
			s.Recover()
			if o, _ := r.look(deployed, gitsync.Limits{}); o.code != Accepted || len(o.reading.Files) != 1 || o.reading.Relation != gitsync.FastForward {
				t.Errorf("afterwards: %s: %s", o.code, o.text)
			}
			t.Logf("%s; at most %d MiB", o.code, r.peak.highest()>>20)
		})
	}
}
