package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/cmd/honua/view"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// quietFor is how long nothing may move before it is taken for the end. A leader acts on what it sees within moments.
const quietFor = 3 * time.Second

// errQuiet ends a watch in which nothing moves any more.
var errQuiet = errors.New("nothing moves any more")

// quiet notices that something has lasted for quietFor.
type quiet struct {
	act   func()
	timer *time.Timer
}

func newQuiet(act func()) *quiet { return &quiet{act: act} }

// observe is told, time and again, whether it is still so.
func (q *quiet) observe(still bool) {
	switch {
	case !still:
		q.stop()
	case q.timer == nil:
		q.timer = time.AfterFunc(quietFor, q.act)
	}
}

func (q *quiet) stop() {
	if q.timer != nil {
		q.timer.Stop()
		q.timer = nil
	}
}

// nothingMoves reports that an environment is not at its newest commit, that nothing is on its way, and that it holds
// contents back: the newest commit can have a held content under another commit's name.
func nothingMoves(e *pb.Environment, polled bool) bool {
	state := e.GetCurrentDeployment().GetState()
	return polled && e.GetOperation() == nil && len(e.GetHolds()) > 0 &&
		state != pb.DeploymentState_DEPLOYMENT_STATE_APPLYING && state != pb.DeploymentState_DEPLOYMENT_STATE_PENDING
}

func heldText(e *pb.Environment) string {
	var held []string
	for _, hold := range e.GetHolds() {
		held = append(held, fmt.Sprintf("%s (%s)", view.Short(hold.GetCommit()), hold.GetReason()))
	}
	return fmt.Sprintf("%s is not deployed: it has a content that is held back, one of %s",
		view.Short(e.GetLatestCommit()), strings.Join(held, ", "))
}
