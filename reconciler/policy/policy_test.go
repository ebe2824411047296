package policy

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

func TestDefaults(t *testing.T) {
	minute := time.Minute
	cases := map[string]Policy{
		"production":  {true, 1, false, 24 * time.Hour, Window{}, true, false, Approve, Approve, catalog.RiskMedium, minute, minute},
		"staging":     {false, 1, false, 4 * time.Hour, Window{}, true, false, Approve, Approve, catalog.RiskHigh, minute, minute},
		"development": {false, 1, false, time.Hour, Window{}, false, false, Auto, Allow, catalog.RiskCritical, minute, minute},
		"qa-1":        {false, 1, false, 4 * time.Hour, Window{}, true, false, Approve, Approve, catalog.RiskHigh, minute, minute},
	}
	for environment, want := range cases {
		got := Default(environment)
		a, errA := got.Normalise()
		b, errB := want.Normalise()
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %s, want %s (%v, %v)", environment, a, b, errA, errB)
		}
		if err := got.check(); err != nil {
			t.Errorf("%s: %v", environment, err)
		}
	}
}

func TestResolvePrecedence(t *testing.T) {
	yes, one, two := true, 1, 2
	file, settings := &Override{MinimumApprovers: &two}, &Override{RequiresApproval: &yes, MinimumApprovers: &one}
	got, err := Resolve("staging", file, settings)
	if err != nil || got.MinimumApprovers != 2 || got.RequiresApproval {
		t.Errorf("%+v, %v: the file and the settings are mixed", got, err)
	}
	if got, err := Resolve("staging", nil, settings); err != nil || !got.RequiresApproval || got.ApprovalTimeout != 4*time.Hour {
		t.Errorf("%+v, %v: the settings are not laid over the defaults", got, err)
	}
	if got, err := Resolve("production", nil, nil); err != nil || !got.RequiresApproval {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestResolveRefuses(t *testing.T) {
	zero, none, word, risk := 0, time.Duration(0), "never", catalog.Risk(9)
	zone := "Mars/Olympus"
	cases := map[string]struct {
		override Override
		want     error
	}{
		"approvers":        {Override{MinimumApprovers: &zero}, ErrRange},
		"approval timeout": {Override{ApprovalTimeout: &none}, ErrRange},
		"health timeout":   {Override{HealthCheckTimeout: &none}, ErrRange},
		"staging timeout":  {Override{StagingTimeout: &none}, ErrRange},
		"after rollback":   {Override{AfterRollback: &word}, ErrRange},
		"force push":       {Override{ForcePush: &word}, ErrRange},
		"risk":             {Override{MinimumRiskLevelForApproval: &risk}, ErrRange},
		"zone":             {Override{TimeZone: &zone}, ErrWindow},
		"empty hours":      {Override{AllowedHours: &Hours{60, 60}}, ErrWindow},
		"hours":            {Override{AllowedHours: &Hours{60, 6000}}, ErrWindow},
		"blackout":         {Override{Blackouts: []Blackout{{}}}, ErrWindow},
		"blackouts":        {Override{Blackouts: make([]Blackout, maxBlackouts+1)}, ErrWindow},
		"no such day":      {Override{AllowedDays: []time.Weekday{9}}, ErrWindow},
	}
	for name, c := range cases {
		if _, err := Resolve("production", &c.override, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestNormaliseIsCanonical(t *testing.T) {
	texts := []string{
		"allowedDays: [Tue, Mon, Monday]\nallowedHours: {start: 9:00, end: 17:00}\napprovalTimeout: 1.00:00:00\nblackouts:\n" +
			"- {from: 2026-02-01, to: 2026-02-01, reason: b}\n- {from: 2026-01-01, to: 2026-01-01, reason: a}\n",
		"{\"TimeZone\": \"UTC\", \"ApprovalTimeout\": \"24h\", \"AllowedHours\": {\"Start\": \"09:00:00\", \"End\": \"17:00\"}," +
			"\"AllowedDays\": [\"Monday\", \"tuesday\"], \"Blackouts\": [{\"From\": \"2026-01-01T00:00:00Z\", \"To\": \"2026-01-02T01:00:00+01:00\"," +
			"\"Reason\": \"a\"}, {\"From\": \"2026-02-01\", \"To\": \"2026-02-02T00:00\", \"Reason\": \"b\"}]}",
	}
	var first []byte
	for _, text := range texts {
		override, problems := ParseEnvironment("x", "production", []byte(text))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		content, err := resolve(t, "production", &override).Normalise()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = content
		}
		if !bytes.Equal(first, content) {
			t.Errorf("%s\n%s", first, content)
		}
	}
	want := `{"requiresApproval":true,"minimumApprovers":1,"forbidAuthorApproval":false,"approvalTimeout":"24:00:00",` +
		`"allowedDays":["Monday","Tuesday"],"allowedHours":{"start":"09:00","end":"17:00"},"timeZone":"UTC","autoRollback":true,` +
		`"rollbackRequiresApproval":false,"afterRollback":"approve","forcePush":"approve","minimumRiskLevelForApproval":"Medium",` +
		`"healthCheckTimeout":"00:01:00","stagingTimeout":"00:01:00","blackouts":[` +
		`{"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","reason":"a"},` +
		`{"from":"2026-02-01T00:00:00Z","to":"2026-02-02T00:00:00Z","reason":"b"}]}`
	if string(first) != want {
		t.Errorf("%s\nwant %s", first, want)
	}
	again, err := FromNormalised(first)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := again.Normalise(); err != nil || !bytes.Equal(first, second) {
		t.Errorf("%s, %v", second, err)
	}
}

func TestFromNormalisedRefusesOther(t *testing.T) {
	if _, err := FromNormalised([]byte(`{"requiresApproval":1}`)); !errors.As(err, &catalog.Problem{}) {
		t.Error(err)
	}
	if _, err := (Policy{}).Normalise(); !errors.Is(err, catalog.ErrUnknownRisk) {
		t.Error(err)
	}
}
