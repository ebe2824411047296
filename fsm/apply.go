package fsm

import (
	"errors"
	"fmt"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Apply executes one committed entry and returns the state after it. The given
// state stays as it is. The error is a *FatalError: this node must halt.
//
// A refused command changes nothing but the applied index and the memory of
// its request.
func Apply(s *State, e Entry) (*State, Result, error) {
	c, result, done, err := try(s, e)
	if err != nil {
		return nil, Result{}, err
	}
	if !done {
		if result.Refusal != nil {
			c = begin(s, e, c.envelope)
		}
		result.Index = e.Index
		c.remember(result)
	}
	return c.commit(), result, nil
}

// Rehearse returns the error with which Apply would halt every node, and nil for what is executed, refused or
// remembered. It makes no state and remembers nothing, which is a good part of Apply's work.
func Rehearse(s *State, e Entry) error {
	_, _, _, err := try(s, e)
	return err
}

// try executes an entry up to what it leaves in the memory of requests. done says that it was remembered: the result is
// that of its first time. What a refused entry has changed is not to be kept.
func try(s *State, e Entry) (c *change, result Result, done bool, err error) {
	envelope, payload, err := decode(e)
	if err != nil {
		return nil, Result{}, false, err
	}
	fatal := func(reason string) (*change, Result, bool, error) {
		return nil, Result{}, false, &FatalError{Index: e.Index, Reason: reason}
	}
	if err := s.fits(envelope.GetFormat()); err != nil {
		return fatal(err.Error())
	}
	if e.Index <= s.meta.Index {
		return fatal(fmt.Sprintf("entry %d was applied already", s.meta.Index))
	}
	c = begin(s, e, envelope)
	if first, done := c.remembered(); done {
		return c, first, true, nil
	}
	result, err = c.execute(payload)
	if err != nil {
		refusal := AsRefusal(err)
		if refusal == nil {
			return fatal(err.Error())
		}
		result = Result{Refusal: refusal}
	}
	return c, result, false, nil
}

// begin opens a change. What depends on nothing but the entry's place in the
// log happens here, for refused commands too.
func begin(s *State, e Entry, envelope *pb.Envelope) *change {
	c := newChange(s, e, envelope)
	c.meta.Index = e.Index
	c.meta.Now = max(c.meta.Now, envelope.GetProposedAtMs())
	if e.Term > c.meta.Term {
		c.meta.Term = e.Term
		c.dropUnfinished()
	}
	return c
}

var errUnknownCommand = errors.New("its payload is of a kind that this build does not know")

// execute runs a command. An error that is no *Refusal halts the node.
func (c *change) execute(payload *pb.Payload) (Result, error) {
	if payload.GetCommand() == nil {
		return Result{}, nil
	}
	if leaderOnly(payload) && c.envelope.GetTerm() != c.entry.Term {
		return Result{}, refuse(ClassAborted, "stale_term",
			"decided in term %d, arrived in term %d", c.envelope.GetTerm(), c.entry.Term)
	}
	if _, first := payload.GetCommand().(*pb.Payload_InitCluster); !first && c.meta.Settings == nil {
		return Result{}, refuse(ClassPrecondition, "not_initialised", "the cluster has no settings yet")
	}
	if result, known, err := c.leaderCommand(payload); known {
		return result, err
	}
	if err := c.admitted(); err != nil {
		return Result{}, err
	}
	return c.callerCommand(payload)
}

// leaderOnly reports whether a command is a leader's decision, fenced by its term (I10).
func leaderOnly(payload *pb.Payload) bool {
	switch command := payload.GetCommand().(type) {
	case *pb.Payload_RequestPoll, *pb.Payload_Approve, *pb.Payload_Reject, *pb.Payload_Cancel,
		*pb.Payload_Retry, *pb.Payload_Rollback, *pb.Payload_Pause, *pb.Payload_Resume, *pb.Payload_RecordDenials,
		*pb.Payload_CreateToken, *pb.Payload_RevokeToken, *pb.Payload_RecordAction,
		*pb.Payload_ImportHistory, *pb.Payload_StoreBackup, *pb.Payload_RestoreBackup:
		return false
	case *pb.Payload_SetSettings:
		return len(command.SetSettings.GetSupporters()) > 0
	default:
		return true
	}
}

func (c *change) leaderCommand(payload *pb.Payload) (result Result, known bool, err error) {
	known = true
	switch command := payload.GetCommand().(type) {
	case *pb.Payload_InitCluster:
		result, err = c.initCluster(command.InitCluster)
	case *pb.Payload_ObservePoll:
		result, err = c.observePoll(command.ObservePoll)
	case *pb.Payload_UploadChunk:
		result, err = c.uploadChunk(command.UploadChunk)
	case *pb.Payload_CreateDeployment:
		result, err = c.createDeployment(command.CreateDeployment)
	case *pb.Payload_BeginStaging:
		result, err = c.beginStaging(command.BeginStaging)
	case *pb.Payload_RecordStaging:
		result, err = c.recordStaging(command.RecordStaging)
	case *pb.Payload_Activate:
		result, err = c.activate(command.Activate)
	case *pb.Payload_FinishDeployment:
		result, err = c.finish(command.FinishDeployment)
	case *pb.Payload_ExpireApproval:
		result, err = c.expireApproval(command.ExpireApproval)
	case *pb.Payload_ExpirePause:
		result, err = c.expirePause(command.ExpirePause)
	case *pb.Payload_ObserveNode:
		result, err = c.observeNode(command.ObserveNode)
	case *pb.Payload_RegisterNode:
		result, err = c.registerNode(command.RegisterNode)
	case *pb.Payload_ForgetNode:
		result, err = c.forgetNode(command.ForgetNode)
	case *pb.Payload_RaiseFormat:
		result, err = c.raiseFormat(command.RaiseFormat)
	case *pb.Payload_RecordFault:
		result, err = c.recordFault(command.RecordFault)
	default:
		known = false
	}
	return result, known, err
}

func (c *change) callerCommand(payload *pb.Payload) (Result, error) {
	switch command := payload.GetCommand().(type) {
	case *pb.Payload_SetSettings:
		return c.setSettings(command.SetSettings)
	case *pb.Payload_RequestPoll:
		return c.requestPoll(command.RequestPoll)
	case *pb.Payload_Approve:
		return c.approve(command.Approve)
	case *pb.Payload_Reject:
		return c.reject(command.Reject)
	case *pb.Payload_Cancel:
		return c.cancel(command.Cancel)
	case *pb.Payload_Retry:
		return c.retry(command.Retry)
	case *pb.Payload_Rollback:
		return c.rollback(command.Rollback)
	case *pb.Payload_Pause:
		return c.pause(command.Pause)
	case *pb.Payload_Resume:
		return c.resume(command.Resume)
	case *pb.Payload_StoreBackup:
		return c.storeBackup(command.StoreBackup)
	case *pb.Payload_RestoreBackup:
		return c.restoreBackup(command.RestoreBackup)
	case *pb.Payload_ImportHistory:
		return c.importHistory(command.ImportHistory)
	case *pb.Payload_RecordDenials:
		return c.recordDenials(command.RecordDenials)
	case *pb.Payload_CreateToken:
		return c.createToken(command.CreateToken)
	case *pb.Payload_RevokeToken:
		return c.revokeToken(command.RevokeToken)
	case *pb.Payload_RecordAction:
		return c.recordAction(command.RecordAction)
	default:
		return Result{}, errUnknownCommand
	}
}
