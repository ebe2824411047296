package leader

import (
	"fmt"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/gitsync"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/content"
	"github.com/honua-io/honua-gitops/reconciler/policy"
)

// Candidate is what the head of a branch means for one environment.
type Candidate struct {
	Environment string
	Branch      string
	Commit      string
	// BasedOn is the digest that it was compared with.
	BasedOn string
	// Digest identifies the content; empty if it could not be read or made.
	Digest string
	// Encoded is the content; nil if the checks failed.
	Encoded []byte
	// Absent: the commit has no such environment, and none was ever deployed.
	Absent bool
	// Problems are what the checks found; the content is refused if there are any.
	Problems   []string
	ReasonCode string
	// Unsigned: its signature is not good enough; the keys may change, so that it is never remembered, nor counted as
	// seen with its content: what is active is not in step with it.
	Unsigned bool
	// Code and Err are set if the repository could not be read just now.
	Code, Err string

	reading  *gitsync.Reading
	plan     catalog.Plan
	planJSON []byte
	services int
	next     *pb.PolicyValue
}

// base is what a candidate is compared with: what is active now.
type base struct {
	commit, digest string
	model          *catalog.Model
	policy         []byte
	estimate       time.Duration
}

// refused is a candidate whose content will never be acceptable.
func refused(environment, branch, commit string, b base, err error) *Candidate {
	return &Candidate{
		Environment: environment, Branch: branch, Commit: commit, BasedOn: b.digest,
		ReasonCode: gitsync.Code(err), Problems: []string{said(err)},
	}
}

// unread is a candidate that could not be read this time.
func unread(environment, branch, commit string, b base, err error) *Candidate {
	return &Candidate{
		Environment: environment, Branch: branch, Commit: commit, BasedOn: b.digest,
		Code: gitsync.Code(err), Err: said(err),
	}
}

// prepare checks a reading and compares it with what is active.
func prepare(environment, branch string, b base, reading *gitsync.Reading) *Candidate {
	c := &Candidate{
		Environment: environment, Branch: branch, Commit: reading.Commit.SHA,
		BasedOn: b.digest, reading: reading,
	}
	if reading.NoEnvironment && b.digest == "" {
		c.Absent = true
		return c
	}
	normalised := c.readPolicy(environment, reading.Policy)
	files := catalogFiles(reading.Files)
	// Without its policy a content is another one, that may be active or held:
	// a commit whose policy cannot be read is known by its id alone.
	if len(c.Problems) == 0 {
		c.encode(files, normalised)
	}
	model, problems := catalog.Parse(environment, files)
	if catalog.HasErrors(problems) {
		c.fail("validation_failed", problems)
	}
	if len(c.Problems) > 0 {
		c.Encoded = nil
		return c
	}
	c.compare(b, model, normalised)
	return c
}

// readPolicy returns this environment's normalised policy, nil if the
// repository has none for it.
func (c *Candidate) readPolicy(environment string, file []byte) []byte {
	if file == nil {
		return nil
	}
	document, problems := policy.Parse(policy.File, file)
	if catalog.HasErrors(problems) || document == nil {
		c.fail("policy_invalid", problems)
		return nil
	}
	override := document.For(environment)
	if override == nil {
		return nil
	}
	effective, err := policy.Resolve(environment, override, nil)
	if err != nil {
		c.fail("policy_invalid", []catalog.Problem{{Position: catalog.Position{File: policy.File, Line: 1, Column: 1}, Message: err.Error()}})
		return nil
	}
	value, err := effective.Value()
	if err != nil {
		c.fail("policy_invalid", []catalog.Problem{{Position: catalog.Position{File: policy.File, Line: 1, Column: 1}, Message: err.Error()}})
		return nil
	}
	c.next = value
	return value.GetCanonical()
}

func (c *Candidate) fail(code string, problems []catalog.Problem) {
	if c.ReasonCode == "" {
		c.ReasonCode = code
	}
	for _, p := range problems {
		if p.Severity == catalog.Error {
			c.Problems = append(c.Problems, p.Error())
		}
	}
}

func (c *Candidate) encode(files []catalog.File, normalisedPolicy []byte) {
	encoded, digest, err := content.Encode(content.Content{Files: files, Policy: normalisedPolicy})
	if err != nil {
		c.ReasonCode = "content_invalid"
		c.Problems = append(c.Problems, err.Error())
		return
	}
	c.Encoded, c.Digest = encoded, digest
}

// compare makes the plan: the semantic difference and its risk.
func (c *Candidate) compare(b base, model *catalog.Model, normalisedPolicy []byte) {
	c.services = len(model.Services)
	c.plan = catalog.Diff(b.model, model)
	c.plan.Environment = c.Environment
	c.plan.FromCommit, c.plan.ToCommit = b.commit, c.Commit
	c.plan.EstimatedDurationSeconds = int((b.estimate + time.Second - 1) / time.Second)
	if string(b.policy) != string(normalisedPolicy) {
		c.plan.PolicyChanged(c.Environment, policy.File)
	}
	planJSON, err := content.EncodePlan(c.plan)
	if err != nil {
		c.ReasonCode = "content_invalid"
		c.Problems = append(c.Problems, fmt.Sprintf("the plan cannot be written: %v", err))
		return
	}
	c.planJSON = planJSON
}

// command is the proposal that records the candidate.
func (c *Candidate) command(sequence uint64, now int64) *pb.CreateDeployment {
	m := &pb.CreateDeployment{
		Environment: c.Environment, ExpectedSequence: sequence, IdStem: idStem(c.Environment, now),
		Commit: c.Commit, Digest: c.Digest, Branch: c.Branch, InitiatedBy: fsm.Watcher,
		Problems: bounded(c.Problems), ReasonCode: c.ReasonCode, Plan: c.planJSON,
		Risk: pb.RiskValue(c.plan.Risk), PreviousCommit: c.plan.FromCommit, NextPolicy: c.next,
		EstimatedMs: int64(c.plan.EstimatedDurationSeconds) * 1000, Services: uint32(c.services),
	}
	if c.reading != nil {
		describe(m, c.reading)
	}
	return m
}

func describe(m *pb.CreateDeployment, r *gitsync.Reading) {
	m.Author, m.AuthorEmail = r.Commit.Author, r.Commit.AuthorEmail
	m.Message, m.CommittedAtMs = r.Commit.Message, r.Commit.Time.UnixMilli()
	m.ChangedFiles, m.RelevantFiles = uint32(r.ChangedFiles), uint32(r.RelevantFiles)
	m.Rewritten = r.Relation == gitsync.Rewritten
	for _, lost := range r.RewrittenAway {
		m.RewrittenAway = append(m.RewrittenAway, lost.SHA+" "+firstLine(lost.Message))
	}
	m.Signature, m.ContributorsUnknown = signatureValue(r.Signature), r.ContributorsUnknown
	for _, p := range r.Contributors {
		m.Contributors = append(m.Contributors, &pb.ContributorValue{Name: p.Name, Email: p.Email, Role: string(p.Role)})
	}
}

// maxProblems bounds what one record keeps of a broken configuration.
const maxProblems = 100

func bounded(problems []string) []string {
	if len(problems) <= maxProblems {
		return problems
	}
	rest := len(problems) - maxProblems
	return append(problems[:maxProblems:maxProblems], fmt.Sprintf("and %d more", rest))
}

// idStem is the readable part of a deployment's id: UTC, to the second.
func idStem(environment string, now int64) string {
	return environment + "-" + time.UnixMilli(now).UTC().Format("20060102-150405")
}

func catalogFiles(files []gitsync.File) []catalog.File {
	out := make([]catalog.File, len(files))
	for i, f := range files {
		out[i] = catalog.File{Path: f.Path, Content: f.Content}
	}
	return out
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(line)
}
