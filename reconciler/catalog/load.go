package catalog

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// maxFile is the size in bytes beyond which a file is refused unread.
const maxFile = 64 << 20

// invalidJSON begins every message about a file that is not strict JSON; the runbook greps for it.
const invalidJSON = "Invalid JSON in configuration file"

// load reads a file as strict JSON and reports what keeps it from being that; ok is false then.
func load(file File, problems *problems) (doc *document, ok bool) {
	doc = &document{file: file.Path, content: file.Content, problems: problems}
	if len(file.Content) > maxFile {
		problems.add(Problem{
			Position: Position{File: file.Path}, Code: CodeTooLarge,
			Message: fmt.Sprintf("is %d bytes; at most %d are read", len(file.Content), maxFile),
		})
		return nil, false
	}
	doc.lines = lineStarts(file.Content)
	if offset, message := encoding(file.Content); message != "" {
		doc.refuse(offset, CodeEncoding, message)
		return nil, false
	}
	scanned, err := scan(file.Content)
	if err != nil {
		doc.refuse(err.offset, CodeSyntax, err.message)
		return nil, false
	}
	doc.nodes, doc.duplicates = scanned.nodes, scanned.duplicates
	doc.reportDuplicates()
	return doc, true
}

func (d *document) refuse(offset int, code, message string) {
	d.problems.add(Problem{Position: d.position(int32(offset)), Message: invalidJSON + ": " + message, Code: code})
}

// encoding says where and why content is not UTF-8 without a byte order mark; the message is empty if it is.
func encoding(content []byte) (int, string) {
	switch {
	case bytes.HasPrefix(content, []byte("\xef\xbb\xbf")):
		return 0, "it begins with a byte order mark; save it as UTF-8 without BOM"
	case bytes.HasPrefix(content, []byte("\xff\xfe")), bytes.HasPrefix(content, []byte("\xfe\xff")):
		return 0, "it is UTF-16; save it as UTF-8 without BOM"
	case utf8.Valid(content):
		return 0, ""
	}
	for offset := 0; ; {
		r, size := utf8.DecodeRune(content[offset:])
		if r == utf8.RuneError && size <= 1 {
			return offset, "it is not UTF-8"
		}
		offset += size
	}
}
