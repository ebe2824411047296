package admin

import (
	"os"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// docs/api.md names every method of the admin API, and every code that a call can fail with and whether that says that
// nothing was executed.
func TestThePageOfTheAPIIsComplete(t *testing.T) {
	content, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(content)
	between := map[string]bool{pb.PeerService_ServiceDesc.ServiceName: true, pb.NodeService_ServiceDesc.ServiceName: true}
	for method := range methods {
		service, name, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
		if strings.HasPrefix(service, "honua.") && !between[service] && !strings.Contains(page, "`"+name+"`") {
			t.Errorf("%s is not on the page", method)
		}
	}
	rows := map[string]string{}
	for line := range strings.Lines(page) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 {
			continue
		}
		for name := range strings.SplitSeq(cells[1], ",") {
			rows[strings.Trim(name, " `")] = strings.TrimSpace(cells[3])
		}
	}
	for failure, row := range failures {
		name := canonical(row.code)
		known, listed := rows[name]
		if !listed {
			t.Errorf("%s, as of %s, has no row", name, failure)
		}
		if !row.notExecuted && strings.HasPrefix(known, "yes") {
			t.Errorf("%s is not always known not to be executed: see %s", name, failure)
		}
	}
}

// canonical is a code as the API's specification spells it, such as NOT_FOUND.
func canonical(code codes.Code) string {
	var spelled strings.Builder
	for i, letter := range code.String() {
		if i > 0 && letter >= 'A' && letter <= 'Z' {
			spelled.WriteByte('_')
		}
		spelled.WriteRune(letter)
	}
	return strings.ToUpper(spelled.String())
}
