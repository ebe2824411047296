package node

import (
	"context"
	"fmt"
	"time"

	"github.com/honua-io/honua-gitops/fsm/bundle"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// The kinds of drift: where the difference is.
const (
	// DriftContent: the stored content does not have the digest that it is stored under.
	DriftContent = "content"
	// DriftCatalog: what is served is not what its content says.
	DriftCatalog = "catalog"
	// DriftFile: a state or approval file is not what was written.
	DriftFile = "file"
	// DriftSource: a layer does not fit its live data source any more.
	DriftSource = "source"
)

// fileAnswer bounds how long an inspection waits for the files: their writer may be busy.
const fileAnswer = 2 * time.Second

// Drift is one difference between what is deployed and what this node has.
type Drift struct {
	Kind string // one of the Drift constants
	// Object is the layer or file that differs.
	Object  string
	Message string
	// Corrected: it was put right on the spot.
	Corrected bool
}

// inspection is what was found of one environment.
type inspection struct {
	// digest is that of the stored bytes, computed anew; empty if there are none.
	digest string
	drift  []Drift
	// complete: every source answered, or failed to, in time.
	complete bool
}

// inspect compares what is served of an environment, byte by byte from the disk up, with what is deployed, and puts
// right what it can. The caller holds n.inspecting.
func (n *Node) inspect(ctx context.Context, s Serving, files bool) inspection {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	var found inspection
	encoded, drift := n.inspectContent(s)
	found.drift = append(found.drift, drift...)
	if encoded != nil {
		found.digest = bundle.Digest(encoded)
		found.drift = append(found.drift, n.inspectCatalog(ctx, s, encoded)...)
	}
	if files {
		found.drift = append(found.drift, n.inspectFiles(ctx, s.Environment)...)
	}
	results, ok := n.config.Registry.Probe(ctx, s.Environment)
	for _, r := range results {
		if !r.OK && !r.Unknown {
			found.drift = append(found.drift, Drift{Kind: DriftSource, Object: r.Layer, Message: r.Reason})
		}
	}
	found.complete = ok && ctx.Err() == nil
	return found
}

// inspectContent reads the stored content and computes its digest anew. One that is damaged or gone is replaced from
// the replicated state.
func (n *Node) inspectContent(s Serving) ([]byte, []Drift) {
	encoded, err := n.bundles.get(s.Digest)
	if err == nil {
		return encoded, nil
	}
	drift := Drift{Kind: DriftContent, Object: s.Digest, Message: err.Error()}
	if stored := n.config.Store.State().Bundle(s.Digest); stored != nil {
		if err = n.store(s.Digest, stored); err == nil {
			encoded, err = n.bundles.get(s.Digest)
		}
		drift.Corrected = err == nil
	}
	return encoded, []Drift{drift}
}

// inspectCatalog compares the catalog in memory with what the stored bytes mean, and builds it anew where it differs.
func (n *Node) inspectCatalog(ctx context.Context, s Serving, encoded []byte) []Drift {
	model, err := parse(s.Environment, encoded)
	if err != nil {
		return []Drift{{Kind: DriftContent, Object: s.Digest, Message: err.Error()}}
	}
	difference := n.catalogDifference(s, model)
	if difference == "" {
		return nil
	}
	drift := Drift{Kind: DriftCatalog, Object: s.Environment, Message: difference}
	switch rebuilt, err := n.rebuild(ctx, s, model); {
	case err != nil:
		drift.Message += "; it cannot be built anew: " + err.Error()
	case !rebuilt:
		return nil // something else was activated meanwhile
	default:
		drift.Corrected = true
	}
	return []Drift{drift}
}

// catalogDifference says how the catalog that is served differs from a model; empty if it does not.
func (n *Node) catalogDifference(s Serving, model *catalog.Model) string {
	current, release, ok := n.config.Registry.Current(s.Environment)
	if !ok {
		return "nothing is served"
	}
	defer release()
	if current.Digest() != s.Digest {
		return fmt.Sprintf("digest %s is served, activated is %s", current.Digest(), s.Digest)
	}
	want, err := model.Fingerprint()
	if err != nil {
		return "" // a model that was parsed can be written
	}
	if got, err := current.Model().Fingerprint(); err != nil || got != want {
		return "what is served is not what its content says"
	}
	return ""
}

// rebuild serves an activation anew from its content. It is no activation: it is journalled as resumed (I2). It does
// nothing if another activation is served by now, or if the catalog turns out to be right.
func (n *Node) rebuild(ctx context.Context, s Serving, model *catalog.Model) (bool, error) {
	n.activating.Lock()
	defer n.activating.Unlock()
	known, ok, _ := n.served(s.Environment)
	if !ok || known.Epoch != s.Epoch || known.ActivationIndex != s.ActivationIndex || n.catalogDifference(s, model) == "" {
		return false, nil
	}
	built, err := n.build(ctx, s.Environment, s.Digest, s.DeploymentID, model)
	if err != nil {
		return false, err
	}
	entry := known.Entry
	entry.Phase, entry.Recovered, entry.Time = Resumed, false, n.timestamp()
	if err := n.journal.Append(entry); err != nil {
		built.Release()
		return false, err
	}
	n.config.Registry.Swap(s.Environment, built)
	return true, nil
}

// inspectFiles asks the writer of the files to look at an environment's. While it is not there or busy, nothing is
// found.
func (n *Node) inspectFiles(ctx context.Context, environment string) []Drift {
	ctx, cancel := context.WithTimeout(ctx, fileAnswer)
	defer cancel()
	ask := fileQuestion{environment: environment, answer: make(chan []Drift, 1)}
	select {
	case n.fileQuestions <- ask:
	case <-ctx.Done():
		return nil
	}
	select {
	case drift := <-ask.answer:
		return drift
	case <-ctx.Done():
		return nil
	}
}

// fileQuestion asks whether the files of an environment are as they were written.
type fileQuestion struct {
	environment string
	answer      chan []Drift // buffered, so that nobody waits for who has gone
}
