package sim

import (
	"fmt"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// describe is a command in a line of the trace.
func describe(p *proposal) string {
	who := p.header.Caller.GetIdentity()
	if who == "" {
		who = fmt.Sprintf("term %d", p.header.Term)
	}
	return fmt.Sprintf("%s by %s: %s", kindOf(p.payload), who, detail(p.payload))
}

func detail(p *pb.Payload) string {
	switch c := p.GetCommand().(type) {
	case *pb.Payload_CreateDeployment:
		m := c.CreateDeployment
		return fmt.Sprintf("%s commit %.7s digest %.7s problems %d rewritten %t sequence %d", m.GetEnvironment(), m.GetCommit(), m.GetDigest(),
			len(m.GetProblems()), m.GetRewritten(), m.GetExpectedSequence())
	case *pb.Payload_UploadChunk:
		return fmt.Sprintf("%s %d/%d of %.7s", c.UploadChunk.GetUploadId(), c.UploadChunk.GetSequence(), c.UploadChunk.GetTotal(), c.UploadChunk.GetDigest())
	case *pb.Payload_SetSettings:
		return fmt.Sprintf("digest %s supporters %v", c.SetSettings.GetFileDigest(), c.SetSettings.GetSupporters())
	case *pb.Payload_InitCluster:
		return c.InitCluster.GetClusterId()
	case *pb.Payload_StoreBackup:
		return c.StoreBackup.GetUploadId()
	case *pb.Payload_ObserveNode:
		m := c.ObserveNode
		text := fmt.Sprintf("%s available %t", m.GetNodeId(), m.GetAvailable())
		for _, s := range m.GetServes() {
			text += fmt.Sprintf(" %s=%d", s.GetEnvironment(), s.GetActivationIndex())
		}
		return text
	default:
		text := fmt.Sprint(p)
		if len(text) > 220 {
			text = text[:220] + "…"
		}
		return text
	}
}

// kindOf names a command.
func kindOf(p *pb.Payload) string {
	switch p.GetCommand().(type) {
	case *pb.Payload_ObservePoll:
		return "ObservePoll"
	case *pb.Payload_UploadChunk:
		return "UploadChunk"
	case *pb.Payload_CreateDeployment:
		return "CreateDeployment"
	case *pb.Payload_BeginStaging:
		return "BeginStaging"
	case *pb.Payload_RecordStaging:
		return "RecordStaging"
	case *pb.Payload_Activate:
		return "Activate"
	case *pb.Payload_FinishDeployment:
		return "FinishDeployment"
	case *pb.Payload_ExpireApproval:
		return "ExpireApproval"
	case *pb.Payload_ExpirePause:
		return "ExpirePause"
	case *pb.Payload_ObserveNode:
		return "ObserveNode"
	case *pb.Payload_SetSettings:
		return "SetSettings"
	case *pb.Payload_RegisterNode:
		return "RegisterNode"
	case *pb.Payload_ForgetNode:
		return "ForgetNode"
	default:
		return callerKind(p)
	}
}

func callerKind(p *pb.Payload) string {
	switch p.GetCommand().(type) {
	case *pb.Payload_RequestPoll:
		return "RequestPoll"
	case *pb.Payload_Approve:
		return "Approve"
	case *pb.Payload_Reject:
		return "Reject"
	case *pb.Payload_Cancel:
		return "Cancel"
	case *pb.Payload_Retry:
		return "Retry"
	case *pb.Payload_Rollback:
		return "Rollback"
	case *pb.Payload_Pause:
		return "Pause"
	case *pb.Payload_Resume:
		return "Resume"
	case *pb.Payload_InitCluster:
		return "InitCluster"
	case *pb.Payload_StoreBackup:
		return "StoreBackup"
	case *pb.Payload_RestoreBackup:
		return "RestoreBackup"
	default:
		return "command"
	}
}
