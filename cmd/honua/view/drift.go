package view

import pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"

// NodeDrift is how one node differs from what is deployed.
type NodeDrift struct {
	NodeID          string         `json:"nodeId"`
	Error           string         `json:"error"`
	ActivationIndex uint64         `json:"activationIndex"`
	Digest          string         `json:"digest"`
	Findings        []DriftFinding `json:"findings"`
}

// DriftFinding is one difference.
type DriftFinding struct {
	Kind      string `json:"kind"`
	Object    string `json:"object"`
	Message   string `json:"message"`
	Corrected bool   `json:"corrected"`
}

// NewNodeDrifts converts the answers of all nodes.
func NewNodeDrifts(nodes []*pb.NodeDrift) []NodeDrift {
	return each(nodes, func(n *pb.NodeDrift) NodeDrift {
		return NodeDrift{
			NodeID: n.GetNodeId(), Error: n.GetError(), ActivationIndex: n.GetActivationIndex(), Digest: n.GetDigest(),
			Findings: each(n.GetFindings(), func(f *pb.DriftFinding) DriftFinding {
				return DriftFinding{Kind: f.GetKind(), Object: f.GetObject(), Message: f.GetMessage(), Corrected: f.GetCorrected()}
			}),
		}
	})
}
