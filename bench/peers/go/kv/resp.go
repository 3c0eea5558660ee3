package main

import (
	"bufio"
	"errors"
	"math"
	"strconv"
)

// The protocol: requests are arrays of bulk strings, or a line of words; replies are what redis sends (RESP2).

const (
	mostWords    = 1024 * 1024
	longestBulk  = 512 << 20
	longestLine  = 64 << 10
	bulkInPieces = 1 << 20

	repliesBuffered = 64 << 10 // a pipeline's worth of values goes out by one write
)

// errProtocol is what cannot be understood; it is told to the client, and then the connection is closed.
type errProtocol string

func (e errProtocol) Error() string { return "Protocol error: " + string(e) }

// A reader takes requests from a connection. The words of one are valid until the next is read.
type reader struct {
	in    *bufio.Reader
	words [][]byte
	text  []byte // all words of a request, one behind the other
	known bool   // whether the client may send as much as it likes
}

func (r *reader) line() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, errProtocol("too big inline request")
	} else if err != nil {
		return nil, err
	}
	line = line[:len(line)-1]
	if len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	return line, nil
}

// next returns the words of the next request: none, if it is empty.
func (r *reader) next() ([][]byte, error) {
	line, err := r.line()
	if err != nil {
		return nil, err
	}
	r.words, r.text = r.words[:0], r.text[:0]
	if cap(r.text) > bulkInPieces {
		r.text = nil
	}
	if len(line) == 0 || line[0] != '*' {
		return r.inline(line)
	}
	count, ok := parseLength(line[1:])
	if !ok || count > mostWords {
		return nil, errProtocol("invalid multibulk length")
	}
	if count > 10 && !r.known {
		return nil, errProtocol("unauthenticated multibulk length")
	}
	ends := make([]int, 0, 16)
	for range max(count, 0) {
		if err := r.bulk(); err != nil {
			return nil, err
		}
		ends = append(ends, len(r.text))
	}
	begin := 0
	for _, end := range ends {
		r.words = append(r.words, r.text[begin:end:end])
		begin = end
	}
	return r.words, nil
}

// bulk adds one string to the text. Memory is taken as it arrives, not as it was announced.
func (r *reader) bulk() error {
	line, err := r.line()
	if err != nil {
		return err
	}
	if len(line) == 0 || line[0] != '$' {
		got := byte(0)
		if len(line) > 0 {
			got = line[0]
		}
		return errProtocol("expected '$', got '" + string(rune(got)) + "'")
	}
	length, ok := parseLength(line[1:])
	if !ok || length < 0 || length > longestBulk {
		return errProtocol("invalid bulk length")
	}
	if length > 16<<10 && !r.known {
		return errProtocol("unauthenticated bulk length")
	}
	for length > 0 {
		piece := min(length, bulkInPieces)
		begin := len(r.text)
		r.text = append(r.text, make([]byte, piece)...)
		for got := begin; got < len(r.text); {
			n, err := r.in.Read(r.text[got:])
			if err != nil {
				return err
			}
			got += n
		}
		length -= piece
	}
	_, err = r.in.Discard(2)
	return err
}

// inline splits a line at its spaces; quotes are not needed by anyone who types PING.
func (r *reader) inline(line []byte) ([][]byte, error) {
	r.text = append(r.text, line...)
	begin := -1
	for i := 0; i <= len(r.text); i++ {
		space := i == len(r.text) || r.text[i] == ' ' || r.text[i] == '\t'
		if !space && begin < 0 {
			begin = i
		} else if space && begin >= 0 {
			r.words = append(r.words, r.text[begin:i:i])
			begin = -1
		}
	}
	return r.words, nil
}

func parseLength(text []byte) (int, bool) {
	n, err := strconv.ParseInt(string(text), 10, 32)
	return int(n), err == nil
}

// A reply writes to a connection's buffer.
type reply struct{ *bufio.Writer }

func (r reply) number(kind byte, n int64) {
	r.WriteByte(kind)
	r.Write(strconv.AppendInt(r.AvailableBuffer(), n, 10))
	r.WriteString("\r\n")
}

func (r reply) integer(n int)     { r.number(':', int64(n)) }
func (r reply) integer64(n int64) { r.number(':', n) }
func (r reply) array(n int)       { r.number('*', int64(n)) }
func (r reply) null()             { r.WriteString("$-1\r\n") }
func (r reply) nullArray()        { r.WriteString("*-1\r\n") }
func (r reply) ok()               { r.simple("OK") }

func (r reply) simple(text string) {
	r.WriteByte('+')
	r.WriteString(text)
	r.WriteString("\r\n")
}

func (r reply) bulk(text string) {
	r.number('$', int64(len(text)))
	r.WriteString(text)
	r.WriteString("\r\n")
}

func (r reply) fail(text string) {
	r.WriteByte('-')
	r.WriteString(text)
	r.WriteString("\r\n")
}

func (r reply) yes(is bool) {
	if is {
		r.integer(1)
	} else {
		r.integer(0)
	}
}

func (r reply) score(score float64) { r.bulk(formatScore(score)) }

// formatScore prints a score as redis 7.0 does, by %.17g.
func formatScore(score float64) string {
	switch {
	case math.IsInf(score, 1):
		return "inf"
	case math.IsInf(score, -1):
		return "-inf"
	}
	return strconv.FormatFloat(score, 'g', 17, 64)
}
