package main

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/honua-io/honua-gitops/cluster"
	"github.com/honua-io/honua-gitops/internal/logging"
	"github.com/honua-io/honua-gitops/internal/support"
)

// origin is where the node's process came from, for support bundles.
type origin struct {
	// file is the node's appsettings.json.
	file string
	// recent are the newest lines of the log.
	recent  *logging.Recent
	started time.Time
}

// recentBytes is how much of the log is kept in memory.
const recentBytes = 1 << 20

// collect gathers what a support bundle has of this node.
func (a *app) collect(ctx context.Context, sample bool) iter.Seq[support.File] {
	files := a.sampled(ctx)
	if !sample {
		files = chained(a.described(ctx), files, diskFiles(ctx, a.origin.file, a.config))
	}
	// A profile is no text: what looks like a secret in it is chance.
	return chained(scrubbed(files, support.NewScrubber(a.config.Secrets()...)), profiles(sample))
}

func profiles(sample bool) iter.Seq[support.File] {
	return func(yield func(support.File) bool) {
		if !sample {
			yield(support.Heap("heap.pprof"))
		}
	}
}

// chained are all files of several sources, one source after the other.
func chained(sources ...iter.Seq[support.File]) iter.Seq[support.File] {
	return func(yield func(support.File) bool) {
		for _, source := range sources {
			for file := range source {
				if !yield(file) {
					return
				}
			}
		}
	}
}

// sampled is what changes from moment to moment.
func (a *app) sampled(ctx context.Context) iter.Seq[support.File] {
	return func(yield func(support.File) bool) {
		_ = yield(answered(ctx, "metrics.prom", a.metrics.Handler(), "/metrics")) &&
			yield(support.Goroutines("goroutines.txt")) &&
			yield(support.JSON("process.json", support.ThisProcess(a.origin.started, time.Now()))) &&
			yield(support.JSON("raft.json", a.raftView()))
	}
}

// described is what the node says of itself and of the cluster.
func (a *app) described(ctx context.Context) iter.Seq[support.File] {
	return func(yield func(support.File) bool) {
		if !yield(support.Text("log.txt", a.origin.recent.Bytes())) || !yield(support.JSON("replicated.json", summarise(a.cluster.Store().State()))) {
			return
		}
		for _, check := range []string{"live", "ready", "gitops"} {
			if !yield(answered(ctx, "health/"+check+".json", a.web.Handler(), "/health/"+check)) {
				return
			}
		}
	}
}

// raftView is a node's place in the group.
type raftView struct {
	Status  cluster.Status   `json:"status"`
	Fatal   string           `json:"fatal"`
	Stats   cluster.Stats    `json:"stats"`
	Members []cluster.Member `json:"members"`
}

func (a *app) raftView() raftView {
	view := raftView{Status: a.cluster.Status(), Stats: a.cluster.Stats(), Members: a.cluster.Members()}
	if view.Status.Fatal != nil {
		view.Fatal, view.Status.Fatal = view.Status.Fatal.Error(), nil
	}
	return view
}

// answered is what a handler of this process answers: it needs no connection.
func answered(ctx context.Context, name string, handler http.Handler, path string) support.File {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if err != nil {
		return support.File{Name: name, Err: err}
	}
	answer := &heldAnswer{header: http.Header{}, code: http.StatusOK}
	handler.ServeHTTP(answer, request)
	file := support.Text(name, answer.body.Bytes())
	if answer.code != http.StatusOK && answer.code != http.StatusServiceUnavailable {
		file.Err = fmt.Errorf("status %d", answer.code)
	}
	return file
}

// heldAnswer keeps what a handler writes.
type heldAnswer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

// Header returns the headers of the answer.
func (h *heldAnswer) Header() http.Header { return h.header }

// WriteHeader keeps the status.
func (h *heldAnswer) WriteHeader(code int) { h.code = code }

// Write keeps a part of the body.
func (h *heldAnswer) Write(p []byte) (int, error) { return h.body.Write(p) }
