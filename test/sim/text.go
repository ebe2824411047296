package sim

import (
	"fmt"
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

func compareText(a, b string) int { return strings.Compare(a, b) }

// describe is a command in a line of the trace.
func describe(p *proposal) string {
	who := p.header.Caller.GetIdentity()
	if who == "" {
		who = fmt.Sprintf("term %d", p.header.Term)
	}
	kind := strings.TrimPrefix(fmt.Sprintf("%T", p.payload.GetCommand()), "*gitsyncv1.Payload_")
	kind = kind[strings.LastIndexByte(kind, '_')+1:]
	return fmt.Sprintf("%s by %s: %s", kind, who, detail(p.payload))
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
	default:
		text := fmt.Sprint(p)
		if len(text) > 220 {
			text = text[:220] + "…"
		}
		return text
	}
}
