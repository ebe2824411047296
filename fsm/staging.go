package fsm

import (
	"fmt"
	"slices"
	"strings"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// beginStaging starts a deployment, or gives a rollback its participants: the
// voters that are available at this point of the log.
func (c *change) beginStaging(command *pb.BeginStaging) (Result, error) {
	env, err := c.fenced(command.GetEnvironment(), command.GetExpectedSequence())
	if err != nil {
		return Result{}, err
	}
	participants, err := c.participants(command)
	if err != nil {
		return Result{}, err
	}
	if env.Operation == nil {
		err = c.beginDeployment(env, command.GetDeploymentId())
	} else if env.Operation.Phase != PhaseNone || env.Operation.Gated {
		err = refuse(ClassPrecondition, "busy", "environment %q applies deployment %s", env.Name, env.Operation.DeploymentID)
	}
	if err != nil {
		return Result{}, err
	}
	op := *env.Operation
	target := c.deployments.get(op.TargetID)
	op.Phase, op.Participants = Staging, participants
	op.Deadline = c.now() + c.policyOf(env, target).stagingTimeout()
	env.Operation = &op
	if env.Health != Unhealthy {
		env.Health, env.HealthMessage = Progressing, ""
	}
	c.retain(env)
	c.decide(env)
	r := result(env, op.DeploymentID)
	r.Value = op.ID
	return r, nil
}

func (c *change) policyOf(env *Environment, d *Deployment) *Policy {
	if d != nil && d.Policy != nil {
		return d.Policy
	}
	return policyInForce(c.meta.Settings, env, env.Name)
}

// participants checks the leader's list against the replicated statuses.
func (c *change) participants(command *pb.BeginStaging) ([]Participant, error) {
	var participants []Participant
	for _, p := range command.GetParticipants() {
		n := c.nodes.get(p.GetNodeId())
		if n == nil || !n.Available || n.Incarnation != p.GetIncarnation() || !slices.Contains(command.GetVoters(), n.ID) {
			return nil, refuse(ClassAborted, "stale_participants", "node %q is not an available voter", p.GetNodeId())
		}
		participants = append(participants, Participant{NodeID: n.ID, Incarnation: n.Incarnation})
	}
	for _, id := range command.GetVoters() {
		n := c.nodes.get(id)
		named := slices.ContainsFunc(participants, func(p Participant) bool { return p.NodeID == id })
		if n != nil && n.Available && !named {
			return nil, refuse(ClassAborted, "stale_participants", "available voter %q is missing", id)
		}
	}
	if len(participants)*2 <= len(command.GetVoters()) {
		return nil, refuse(ClassPrecondition, "no_majority", "%d of %d voters are available", len(participants), len(command.GetVoters()))
	}
	return participants, nil
}

// beginDeployment checks, once, everything that may keep a deployment waiting
// and can be decided without a calendar. The leader looked at the window.
func (c *change) beginDeployment(env *Environment, id string) error {
	known := c.deployments.get(id)
	if known == nil || known.Environment != env.Name || known.State != Pending {
		return refuse(ClassPrecondition, "wrong_state", "deployment %q is not pending", id)
	}
	if err := c.mayBegin(env, known); err != nil {
		return err
	}
	d := *known
	d.Attempts++
	d.Started, d.DryRun = c.now(), false
	if err := c.move(&d, Applying, "attempt "+fmt.Sprint(d.Attempts)); err != nil {
		return err
	}
	d.Phase = Staging
	d.History[len(d.History)-1].Phase = Staging // the line is new: nobody shares it yet
	d.Phase = Staging
	c.putDeployment(&d)
	c.unwait(env, d.ID)
	env.CurrentID = d.ID
	env.Operation = &Operation{
		ID: c.entry.Index, Kind: Deploy, DeploymentID: d.ID, TargetID: d.ID,
		Digest: d.Digest, Begun: c.now(), Actor: d.InitiatedBy, Services: d.Services,
	}
	return nil
}

func (c *change) mayBegin(env *Environment, d *Deployment) error {
	switch {
	case !d.approved():
		return refuse(ClassPrecondition, "not_approved", "deployment %s has %d of %d approvals", d.ID, len(d.Approvals), d.Required)
	case d.Overridden:
	case env.Pause != nil:
		return refuse(ClassPrecondition, "paused", "environment %q is paused: %s", env.Name, env.Pause.Reason)
	case c.meta.Freeze != nil:
		return refuse(ClassPrecondition, "paused", "all environments are paused: %s", c.meta.Freeze.Reason)
	}
	if held := c.holds.get(join(env.Name, d.Digest)); held != nil {
		return refuse(ClassPrecondition, "held", "the content is held: %s", held.Reason)
	}
	if c.bundles.get(d.Digest) == nil {
		return refuse(ClassPrecondition, "no_content", "the content of deployment %s is not kept", d.ID)
	}
	return nil
}

// operation returns an environment's operation for a change, if it is the one meant.
func (c *change) operation(name string, sequence, id uint64, phases ...Phase) (*Environment, *Operation, error) {
	env, err := c.fenced(name, sequence)
	if err != nil {
		return nil, nil, err
	}
	if env.Operation == nil || env.Operation.ID != id || !slices.Contains(phases, env.Operation.Phase) {
		return nil, nil, refuse(ClassAborted, "stale_operation", "operation %d of environment %q is over", id, name)
	}
	op := *env.Operation
	op.Participants = slices.Clone(op.Participants)
	env.Operation = &op
	return env, &op, nil
}

// recordStaging takes every answer that a leader collected. One rejection of an
// available participant, or its silence at the deadline, fails the deployment:
// nothing was activated.
func (c *change) recordStaging(command *pb.RecordStaging) (Result, error) {
	env, op, err := c.operation(command.GetEnvironment(), command.GetExpectedSequence(), command.GetOperation(), Staging, Activating)
	if err != nil {
		return Result{}, err
	}
	op.answer(command.GetAnswers(), func(p *Participant) *Answer { return &p.Staged })
	if op.Phase == Activating {
		c.reinforce(op, command.GetAnswers())
	}
	if command.GetServices() > 0 {
		op.Services = command.GetServices()
	}
	late := command.GetDeadline() && c.now() >= op.Deadline
	switch code, problems := c.stagingFault(op, late); {
	case code != "":
		err = c.stagingFailed(env, op, code, problems)
	case op.Phase == Activating || !c.allStaged(op):
	case c.meta.Settings.DryRun && op.Kind == Deploy:
		err = c.finishDryRun(env, op)
	default:
		op.Phase = Activating
		c.showPhase(op, Activating, fmt.Sprintf("staged on %d nodes", count(op, AnswerYes)))
	}
	if err != nil {
		return Result{}, err
	}
	c.retain(env)
	c.decide(env)
	return result(env, op.DeploymentID), nil
}

// answer takes the answers that fit the participants; a node with another data
// directory is another node.
func (op *Operation) answer(answers []*pb.AnswerValue, field func(*Participant) *Answer) {
	for _, a := range answers {
		for i := range op.Participants {
			p := &op.Participants[i]
			if p.NodeID != a.GetNodeId() || p.Incarnation != a.GetIncarnation() {
				continue
			}
			*field(p) = AnswerNo
			if a.GetAccepted() {
				*field(p) = AnswerYes
			}
			p.Problems = a.GetProblems()
		}
	}
}

// reinforce adds available nodes that were away when staging began, or had
// another data directory, and have staged it since: after a failure among the
// participants it may take them for a majority. They have no veto, so only
// their yes counts.
func (c *change) reinforce(op *Operation, answers []*pb.AnswerValue) {
	for _, a := range answers {
		joined := Participant{NodeID: a.GetNodeId(), Incarnation: a.GetIncarnation(), Staged: AnswerYes}
		if !a.GetAccepted() || !c.counts(&joined) {
			continue
		}
		switch i := slices.IndexFunc(op.Participants, func(p Participant) bool { return p.NodeID == joined.NodeID }); {
		case i < 0:
			op.Participants = append(op.Participants, joined)
		case op.Participants[i].Incarnation != joined.Incarnation:
			op.Participants[i] = joined
		}
	}
}

// involves reports whether an operation leaves or activates a deployment, or
// its content.
func (op *Operation) involves(d *Deployment) bool {
	return op.DeploymentID == d.ID || op.TargetID == d.ID || op.Digest == d.Digest
}

// counts reports whether a participant's word still matters: it is the same
// incarnation and available.
func (c *change) counts(p *Participant) bool {
	n := c.nodes.get(p.NodeID)
	return n != nil && n.Available && n.Incarnation == p.Incarnation
}

func (c *change) allStaged(op *Operation) bool {
	for i := range op.Participants {
		if p := &op.Participants[i]; p.Staged != AnswerYes && c.counts(p) {
			return false
		}
	}
	return true
}

func count(op *Operation, answer Answer) int {
	n := 0
	for _, p := range op.Participants {
		if p.Staged == answer {
			n++
		}
	}
	return n
}

func (c *change) stagingFault(op *Operation, late bool) (code string, problems []string) {
	var silent []string
	for i := range op.Participants {
		p := &op.Participants[i]
		switch {
		case !c.counts(p):
		case p.Staged == AnswerNo:
			code = "staging_rejected"
			for _, problem := range p.Problems {
				problems = append(problems, p.NodeID+": "+problem)
			}
		case p.Staged == AnswerNone:
			silent = append(silent, p.NodeID)
		}
	}
	switch {
	case code != "":
		return code, problems
	case late && len(silent) > 0:
		return "staging_timeout", []string{"no answer at the deadline from " + strings.Join(silent, ", ")}
	case late && op.Phase == Activating:
		return "no_majority", []string{"no majority of the voters staged it before the deadline"}
	default:
		return "", nil
	}
}

// stagingFailed ends an operation of which nothing was activated.
func (c *change) stagingFailed(env *Environment, op *Operation, code string, problems []string) error {
	known := c.deployments.get(op.DeploymentID)
	message := code
	if len(problems) > 0 {
		message = problems[0]
	}
	defer c.close(env, op, false, message)
	if known == nil {
		return nil
	}
	d := *known
	switch {
	case op.Kind == Deploy:
		d.Problems = problems
		return c.fail(env, &d, code, message)
	case d.State == Applying:
		return c.rollbackFailed(env, &d, message)
	default:
		c.audit("deployment.rollback_failed", env.Name, d.ID, code, message)
		return nil
	}
}

// finishDryRun leaves a deployment that every participant staged as it would
// be, had it not begun.
func (c *change) finishDryRun(env *Environment, op *Operation) error {
	message := fmt.Sprintf("dry run: staged on %d nodes, nothing was activated", count(op, AnswerYes))
	d := *c.deployments.get(op.DeploymentID)
	d.DryRun = true
	if err := c.move(&d, Pending, message); err != nil {
		return err
	}
	c.putDeployment(&d)
	env.Waiting = append(slices.Clone(env.Waiting), d.ID)
	c.close(env, op, true, message)
	return nil
}

// close ends an operation and lets what nodes said count for the health again.
func (c *change) close(env *Environment, op *Operation, ok bool, message string) {
	env.Operation = nil
	env.LastOutcome = &Outcome{
		Operation: op.ID, Kind: op.Kind, DeploymentID: op.DeploymentID, TargetID: op.TargetID,
		OK: ok, Message: message, At: c.now(),
	}
	if env.Health == Progressing {
		env.Health = HealthUnknown
	}
	c.assess(env)
}

// showPhase writes a phase into the deployment's history; a rollback's phases
// all show as RollingBack.
func (c *change) showPhase(op *Operation, phase Phase, message string) {
	known := c.deployments.get(op.DeploymentID)
	if known == nil || known.State != Applying {
		return
	}
	if op.Kind == Rollback {
		phase = RollingBack
	}
	d := *known
	c.enter(&d, phase, message)
	c.putDeployment(&d)
}
