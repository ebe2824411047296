package node

import (
	"slices"
	"testing"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

func TestJudge(t *testing.T) {
	fine := registry.ProbeResult{Layer: "fine", OK: true, PassedAtStaging: true}
	broken := registry.ProbeResult{Layer: "broken", PassedAtStaging: true, Reason: "no answer"}
	unknown := registry.ProbeResult{Layer: "unknown", PassedAtStaging: true, Reason: "the time is over", Unknown: true}
	before := registry.ProbeResult{Layer: "before", Reason: "was so already"}
	for name, test := range map[string]struct {
		results          []registry.ProbeResult
		answered, failed bool
		problems         []string
	}{
		"nothing to ask":                          {nil, true, false, nil},
		"fine":                                    {[]registry.ProbeResult{fine, fine}, true, false, nil},
		"broken":                                  {[]registry.ProbeResult{fine, broken}, true, true, []string{"layer broken: no answer"}},
		"not asked in time":                       {[]registry.ProbeResult{fine, unknown}, false, false, nil},
		"broken, and others not asked in time":    {[]registry.ProbeResult{broken, unknown}, true, true, []string{"layer broken: no answer"}},
		"others not asked in time, and broken":    {[]registry.ProbeResult{unknown, broken}, true, true, []string{"layer broken: no answer"}},
		"what had not passed at staging is known": {[]registry.ProbeResult{fine, before}, true, false, nil},
	} {
		response := &pb.VerifyResponse{}
		judge(response, test.results)
		answered := response.GetServed() || response.GetFailed()
		if answered != test.answered || response.GetFailed() != test.failed || !slices.Equal(response.GetProblems(), test.problems) {
			t.Errorf("%s: %v", name, response)
		}
	}
}
