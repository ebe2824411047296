package leader

import (
	"context"
	"fmt"
	"strings"

	"github.com/honua-io/honua-gitops/gitsync"
)

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// maxErrorText bounds what the replicated state keeps of an error, in bytes.
const maxErrorText = 1000

// said is an error as the replicated state can hold it: a repository has a part in what errors say.
func said(err error) string { return cut(err.Error(), maxErrorText) }

func cut(text string, most int) string {
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// announceHead writes the runbook's lines about the branch's head.
func (p *poller) announceHead(ctx context.Context, head string) {
	if p.head == "" {
		p.head = p.recorded()
	}
	switch {
	case p.head == "":
		p.Logger.InfoContext(ctx, sprintf(msgInitial, head))
	case p.head == head:
		p.Logger.DebugContext(ctx, msgNothing)
	default:
		p.Logger.InfoContext(ctx, sprintf(msgDetected, p.head, head))
	}
	p.head = head
}

// recorded is the head that the replicated state knows of this branch.
func (p *poller) recorded() string {
	for env := range p.Store.State().Environments() {
		if env.Branch == p.lookout.branch && env.LatestCommit != "" {
			return env.LatestCommit
		}
	}
	return ""
}

// announceReading writes the runbook's lines about a commit that was read.
func (p *poller) announceReading(ctx context.Context, c *Candidate, r *gitsync.Reading) {
	p.Logger.InfoContext(ctx, sprintf(msgAuthor, r.Commit.Author))
	p.Logger.InfoContext(ctx, sprintf(msgMessage, firstLine(r.Commit.Message)))
	p.Logger.InfoContext(ctx, sprintf(msgChanged, r.ChangedFiles))
	p.Logger.InfoContext(ctx, sprintf(msgRelevant, r.RelevantFiles, c.Environment))
	if s := r.Signature; s.Status != gitsync.SignatureUnchecked && s.Status != gitsync.SignatureGood && len(c.Problems) == 0 {
		p.Logger.WarnContext(ctx, "the commit's signature is not good; it is let in because the verification of this environment only warns",
			"environment", c.Environment, "commit", c.Commit, "problem", signatureProblem(s))
	}
	for _, problem := range c.Problems {
		message := msgChecksFailed
		if strings.Contains(problem, msgInvalidJSON) {
			message = msgInvalidJSON
		}
		p.Logger.ErrorContext(ctx, message, "environment", c.Environment, "commit", c.Commit, "problem", problem)
	}
}
