//go:build unix

package clients

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/honua-io/honua-gitops/test/chaos/history"
	"github.com/honua-io/honua-gitops/test/harness"
)

const (
	// PollEvery is the pause between two polls of a node.
	PollEvery  = 50 * time.Millisecond
	pollWithin = time.Second
)

// Poll asks every node which content it serves, again and again, one environment after the other, until the context
// ends. Answers that are the same make one line.
func Poll(ctx context.Context, nodes []*harness.Node, environments []history.Environment, polls *history.Writer, begun time.Time) {
	var all sync.WaitGroup
	for _, n := range nodes {
		p := &poller{node: n, polls: polls, begun: begun, last: map[string]*history.Poll{}}
		all.Go(func() { p.run(ctx, environments) })
	}
	all.Wait()
}

type poller struct {
	node  *harness.Node
	polls *history.Writer
	begun time.Time
	last  map[string]*history.Poll
}

func (p *poller) run(ctx context.Context, environments []history.Environment) {
	transport := &http.Transport{MaxIdleConns: 1}
	defer transport.CloseIdleConnections()
	asker := &http.Client{Transport: transport, Timeout: pollWithin}
	for i := 0; harness.Pause(ctx, PollEvery); i++ {
		environment := environments[i%len(environments)].Name
		from := time.Since(p.begun)
		seen := history.Poll{Node: p.node.ID, Environment: environment, From: from, Count: 1}
		p.ask(ctx, asker, &seen)
		seen.To = time.Since(p.begun)
		if ctx.Err() == nil {
			p.note(&seen)
		}
	}
	for _, last := range p.last {
		p.polls.Write(last)
	}
}

func (p *poller) ask(ctx context.Context, asker *http.Client, seen *history.Poll) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.node.HTTP+"/environments/"+seen.Environment+"/ogc/collections", nil)
	if err != nil {
		seen.Error = err.Error()
		return
	}
	answer, err := asker.Do(request)
	if err != nil {
		seen.Error = "no answer"
		return
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	seen.Status, seen.Digest = answer.StatusCode, answer.Header.Get("Honua-Digest")
	if err != nil {
		seen.Error, seen.Digest = "cut off", ""
	}
}

// note lengthens the last line of the environment, or ends it and begins another.
func (p *poller) note(seen *history.Poll) {
	last := p.last[seen.Environment]
	if last != nil && last.Digest == seen.Digest && last.Status == seen.Status && last.Error == seen.Error {
		last.To, last.Count = seen.To, last.Count+1
		return
	}
	if last != nil {
		p.polls.Write(last)
	}
	p.last[seen.Environment] = seen
}
