package view

import (
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Deployment is one deployment.
type Deployment struct {
	ID                string     `json:"id"`
	Environment       string     `json:"environment"`
	Commit            string     `json:"commit"`
	Branch            string     `json:"branch"`
	Digest            string     `json:"digest"`
	Author            string     `json:"author"`
	Message           string     `json:"message"`
	State             string     `json:"state"`
	Phase             string     `json:"phase"`
	Health            string     `json:"health"`
	SyncStatus        string     `json:"syncStatus"`
	InitiatedBy       string     `json:"initiatedBy"`
	StartedAt         *Time      `json:"startedAt"`
	UpdatedAt         *Time      `json:"updatedAt"`
	CompletedAt       *Time      `json:"completedAt"`
	ErrorMessage      string     `json:"errorMessage"`
	ReasonCode        string     `json:"reasonCode"`
	Problems          []string   `json:"problems"`
	Risk              string     `json:"risk"`
	Attempts          uint32     `json:"attempts"`
	ActivationIndex   uint64     `json:"activationIndex"`
	RequiredApprovers uint32     `json:"requiredApprovers"`
	ApprovalReasons   []string   `json:"approvalReasons"`
	Approvals         []Approval `json:"approvals"`
	ApprovalExpiresAt *Time      `json:"approvalExpiresAt"`
	PolicyDigest      string     `json:"policyDigest"`
	Contributors      []string   `json:"contributors"`
	// ContributorsUnknown: the history is too long to name them all.
	ContributorsUnknown bool `json:"contributorsUnknown"`
	// Signature is null where signatures are not checked.
	Signature      *Signature   `json:"signature"`
	PreviousCommit string       `json:"previousCommit"`
	Rewritten      bool         `json:"rewritten"`
	RewrittenAway  []string     `json:"rewrittenAway"`
	WaitingCode    string       `json:"waitingCode"`
	WaitingFor     string       `json:"waitingFor"`
	MayBeginAt     *Time        `json:"mayBeginAt"`
	SupersededBy   string       `json:"supersededBy"`
	RolledBackTo   string       `json:"rolledBackTo"`
	Imported       bool         `json:"imported"`
	Nodes          []Progress   `json:"nodes"`
	StateHistory   []Transition `json:"stateHistory"`
}

// Signature is what the check of the commits found.
type Signature struct {
	Status string `json:"status"`
	Commit string `json:"commit"`
	Signer string `json:"signer"`
	Key    string `json:"key"`
	Detail string `json:"detail"`
}

// Approval is one decision that counted.
type Approval struct {
	Approver string `json:"approver"`
	At       *Time  `json:"at"`
	Comment  string `json:"comment"`
}

// Transition is one step of a deployment's history.
type Transition struct {
	From      string `json:"from"`
	To        string `json:"to"`
	Phase     string `json:"phase"`
	Timestamp *Time  `json:"timestamp"`
	Message   string `json:"message"`
}

// Progress is what one node did for a deployment.
type Progress struct {
	NodeID      string   `json:"nodeId"`
	Participant bool     `json:"participant"`
	Staged      bool     `json:"staged"`
	Rejected    bool     `json:"rejected"`
	Verified    bool     `json:"verified"`
	Unavailable bool     `json:"unavailable"`
	ServedIndex uint64   `json:"servedIndex"`
	Problems    []string `json:"problems"`
}

// DeploymentList is the answer of `deployment list`.
type DeploymentList struct {
	Deployments   []Deployment `json:"deployments"`
	AppliedIndex  uint64       `json:"appliedIndex"`
	NextPageToken string       `json:"nextPageToken,omitempty"`
}

// NewDeployment converts a deployment.
func NewDeployment(d *pb.Deployment) Deployment {
	return Deployment{
		ID: d.GetId(), Environment: d.GetEnvironment(), Commit: d.GetCommit(), Branch: d.GetBranch(),
		Digest: d.GetDigest(), Author: d.GetAuthor(), Message: d.GetMessage(),
		State: Name(d.GetState()), Phase: Name(d.GetPhase()),
		Health: orUnknown(d.GetHealth()), SyncStatus: orUnknown(d.GetSyncStatus()),
		InitiatedBy: d.GetInitiatedBy(), StartedAt: moment(d.GetStartedAt()), UpdatedAt: moment(d.GetUpdatedAt()),
		CompletedAt: moment(d.GetCompletedAt()), ErrorMessage: d.GetErrorMessage(), ReasonCode: d.GetReasonCode(),
		Problems: texts(d.GetProblems()), Risk: Name(d.GetRisk()), Attempts: d.GetAttempts(),
		ActivationIndex: d.GetActivationIndex(), RequiredApprovers: d.GetRequiredApprovers(),
		ApprovalReasons: texts(d.GetApprovalReasons()), Approvals: each(d.GetApprovals(), newApproval),
		ApprovalExpiresAt: moment(d.GetApprovalExpiresAt()), PolicyDigest: d.GetPolicyDigest(),
		Contributors: texts(d.GetContributors()), PreviousCommit: d.GetPreviousCommit(), Rewritten: d.GetRewritten(), RewrittenAway: texts(d.GetRewrittenAway()),
		WaitingCode: d.GetWaitingCode(), WaitingFor: d.GetWaitingFor(), MayBeginAt: moment(d.GetMayBeginAt()),
		ContributorsUnknown: d.GetContributorsUnknown(), Signature: newSignature(d.GetSignature()),
		SupersededBy: d.GetSupersededBy(), RolledBackTo: d.GetRolledBackTo(), Imported: d.GetImported(),
		Nodes: each(d.GetNodes(), newProgress), StateHistory: each(d.GetStateHistory(), newTransition),
	}
}

// NewDeploymentList converts a list.
func NewDeploymentList(list []*pb.Deployment, index uint64, next string) DeploymentList {
	return DeploymentList{Deployments: each(list, NewDeployment), AppliedIndex: index, NextPageToken: next}
}

func newSignature(s *pb.CommitSignature) *Signature {
	if s == nil {
		return nil
	}
	return &Signature{Status: s.GetStatus(), Commit: s.GetCommit(), Signer: s.GetSigner(), Key: s.GetKey(), Detail: s.GetDetail()}
}

func newApproval(a *pb.Approval) Approval {
	return Approval{Approver: a.GetApprover(), At: moment(a.GetAt()), Comment: a.GetComment()}
}

func newTransition(t *pb.StateTransition) Transition {
	return Transition{
		From: Name(t.GetFrom()), To: Name(t.GetTo()), Phase: Name(t.GetPhase()),
		Timestamp: moment(t.GetAt()), Message: t.GetMessage(),
	}
}

func newProgress(n *pb.NodeProgress) Progress {
	return Progress{
		NodeID: n.GetNodeId(), Participant: n.GetParticipant(), Staged: n.GetStaged(), Rejected: n.GetRejected(),
		Verified: n.GetVerified(), Unavailable: n.GetUnavailable(), ServedIndex: n.GetServedIndex(),
		Problems: texts(n.GetProblems()),
	}
}
