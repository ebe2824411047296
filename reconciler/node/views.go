package node

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
)

// Pacing of the views: a single change is written at once, a storm of changes
// costs at most viewBatch files of environments in every viewPause.
const (
	viewBatch    = 32
	viewPause    = 100 * time.Millisecond
	viewInterval = 10 * time.Second
)

// views writes the state and approval files. It belongs to one goroutine.
type views struct {
	node *Node
	// written is the content that each file was given last, by path.
	written map[string]viewFile
	// shown is the index of the change that each environment's file shows.
	shown map[string]uint64
	// failed are the writes that failed last: of an environment by its name, of a file by its path.
	failed map[string]string
	// begun is when the present viewPause began, spent what was written since.
	begun time.Time
	spent int
}

// viewFile is a file as it was written last.
type viewFile struct {
	environment string
	content     []byte
}

// writeViews keeps the files in step with the state, and puts back what was
// edited by hand: they are views, a decision is made by command.
func (n *Node) writeViews(ctx context.Context) {
	v := n.views
	inspect := time.NewTicker(viewInterval)
	defer inspect.Stop()
	for {
		changed := n.config.Store.Changed()
		if n.ShowViews(ctx, n.config.Store.State()) {
			if !sleep(ctx, viewPause) {
				return
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-inspect.C:
			v.inspect(ctx, "")
		case ask := <-n.fileQuestions:
			v.answer(ctx, ask)
		}
	}
}

// answer looks at an environment's files, in step with the state first: what changed before the question may not have
// been written yet, and an edited file that is then written for the change would be no finding of anyone's.
func (v *views) answer(ctx context.Context, ask fileQuestion) {
	v.node.ShowViews(ctx, v.node.config.Store.State())
	ask.answer <- v.inspect(ctx, ask.environment)
}

func newViews(n *Node) *views {
	return &views{node: n, written: map[string]viewFile{}, shown: map[string]uint64{}, failed: map[string]string{}}
}

// ShowViews writes what changed, as far as the pace allows; full reports that
// the rest has to wait for viewPause. Run calls it; the simulator does in its
// stead. It is not called twice at once.
func (n *Node) ShowViews(ctx context.Context, state *fsm.State) (full bool) {
	v := n.views
	for env := range state.Environments() {
		if v.shown[env.Name] == env.Changed {
			continue
		}
		if !v.spend() {
			return true
		}
		v.environment(ctx, state, env)
	}
	return false
}

func (v *views) spend() bool {
	if now := v.node.config.Now(); now.Sub(v.begun).Abs() >= viewPause {
		v.begun, v.spent = now, 0
	}
	v.spent++
	return v.spent <= viewBatch
}

func (v *views) environment(ctx context.Context, state *fsm.State, env *fsm.Environment) {
	content, err := renderState(state, env)
	if err == nil {
		err = v.put(ctx, env.Name, filepath.Join(v.node.config.StateDirectory, env.Name+".json"), content)
	}
	for _, id := range append([]string{env.CurrentID}, env.Waiting...) {
		if err == nil {
			err = v.approval(ctx, state.Deployment(id))
		}
	}
	for d := range state.Deployments(env.Name) {
		if err != nil || d.Updated < env.LastPoll-viewInterval.Milliseconds() && d.State.Terminal() {
			break
		}
		err = v.approval(ctx, d)
	}
	v.note(env.Name, err)
	if err != nil {
		v.node.config.Logger.ErrorContext(ctx, msgFileFailed, "environment", env.Name, "error", err)
		return
	}
	v.shown[env.Name] = env.Changed
}

func (v *views) approval(ctx context.Context, d *fsm.Deployment) error {
	if d == nil || d.Required == 0 {
		return nil
	}
	content, err := renderApproval(d)
	if err != nil {
		return err
	}
	return v.put(ctx, d.Environment, filepath.Join(v.node.config.ApprovalDirectory, d.ID+".json"), content)
}

// put writes a file that does not have the content yet.
func (v *views) put(ctx context.Context, environment, path string, content []byte) error {
	before, known := v.written[path]
	if known && v.edited(path) {
		v.drifted(ctx, environment, path)
	} else if bytes.Equal(before.content, content) {
		return nil
	}
	if err := v.node.files.Replace(path, content); err != nil {
		return unwritten(path, err)
	}
	v.note(path, nil)
	v.written[path] = viewFile{environment, content}
	return nil
}

// edited reports whether a file is not what was written.
func (v *views) edited(path string) bool {
	found, err := v.node.files.ReadFile(path)
	return err != nil || !bytes.Equal(found, v.written[path].content)
}

// drifted says that a file was edited, and counts it as put right: it is written again.
func (v *views) drifted(ctx context.Context, environment, path string) {
	v.node.config.Logger.WarnContext(ctx, msgDrift, "file", path)
	v.node.meter.corrected(environment, DriftFile)
}

// inspect puts back what was edited while nothing changed, of one environment or, if it is empty, of all.
func (v *views) inspect(ctx context.Context, environment string) []Drift {
	var found []Drift
	for path, file := range v.written {
		if environment != "" && file.environment != environment {
			continue
		}
		if !v.edited(path) {
			v.note(path, nil)
			continue
		}
		v.drifted(ctx, file.environment, path)
		drift := Drift{Kind: DriftFile, Object: path, Message: "the file was not as it was written", Corrected: true}
		err := errors.Join(v.node.files.MkdirAll(filepath.Dir(path), 0o700), v.node.files.Replace(path, file.content))
		if err != nil {
			err = unwritten(path, err)
			v.node.config.Logger.ErrorContext(ctx, msgFileFailed, "file", path, "error", err)
			drift.Message, drift.Corrected = "the file cannot be written: "+err.Error(), false
		}
		v.note(path, err)
		found = append(found, drift)
	}
	return found
}

// note keeps which writes fail, so that the node can tell. What cannot be
// written is tried again, and noted again if it still fails.
func (v *views) note(of string, err error) {
	before, known := v.failed[of]
	switch {
	case err == nil && !known || err != nil && known && before == err.Error():
		return
	case err == nil:
		delete(v.failed, of)
	default:
		v.failed[of] = err.Error()
	}
	first := ""
	for _, text := range v.failed {
		if first == "" || text < first {
			first = text
		}
	}
	v.node.mu.Lock()
	defer v.node.mu.Unlock()
	v.node.unwritten = first
}

// Unwritten is why a state or approval file cannot be written; empty if all can.
func (n *Node) Unwritten() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.unwritten
}

// unwritten is why a file cannot be written: what the system said, without the temporary name that it is written under.
func unwritten(path string, err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return &fs.PathError{Op: "write", Path: path, Err: err}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
