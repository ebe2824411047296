package admin

import (
	"encoding/hex"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// timestamp converts Unix milliseconds; never stays absent.
func timestamp(ms int64) *timestamppb.Timestamp {
	if ms == 0 {
		return nil
	}
	return timestamppb.New(time.UnixMilli(ms))
}

// milliseconds converts to Unix milliseconds; what is absent is never.
func milliseconds(at *timestamppb.Timestamp) int64 {
	if at == nil {
		return 0
	}
	return at.AsTime().UnixMilli()
}

// hash is the text of a hash; one that is not set has none.
func hash(sum [32]byte) string {
	if sum == [32]byte{} {
		return ""
	}
	return hex.EncodeToString(sum[:])
}

// The enums of the API begin with UNSPECIFIED where those of the state machine
// begin with their first value or with none.

func stateMessage(s fsm.DeploymentState) pb.DeploymentState { return pb.DeploymentState(s) }
func phaseMessage(p fsm.Phase) pb.DeploymentPhase           { return pb.DeploymentPhase(p) }
func riskMessage(r fsm.Risk) pb.RiskLevel                   { return pb.RiskLevel(r) }
func healthMessage(h fsm.Health) pb.Health                  { return pb.Health(h + 1) }
func syncMessage(s fsm.SyncStatus) pb.SyncStatus            { return pb.SyncStatus(s + 1) }
