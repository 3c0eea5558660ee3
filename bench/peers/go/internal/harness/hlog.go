package harness

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"time"
)

// HdrHistogram's log format, version 1.3, and its compressed encoding, V2.

const (
	plainCookie      = 0x1c849303 | 0x10
	compressedCookie = 0x1c849304 | 0x10
	highestLogged    = 1<<43 - 1
)

// writeLog writes service and response times and the stops into the file that was asked for; it leaves none that is
// not whole.
func (r *Run) writeLog(stops *Histogram) error {
	if r.Log == "" {
		return nil
	}
	began := time.Now().UnixMilli() - (Now()-r.began)/1e6
	var log bytes.Buffer
	fmt.Fprintf(&log, "#[Histogram log format version 1.3]\n#[BaseTime: %[1]d.%03[2]d (seconds since epoch)]\n"+
		"#[StartTime: %[1]d.%03[2]d (seconds since epoch)]\n", began/1000, began%1000)
	log.WriteString("\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n")
	service, response := r.times()
	for _, each := range []struct {
		tag string
		h   *Histogram
	}{{"service", service}, {"response", response}, {"stall-stop", stops}} {
		if each.h.any() {
			fmt.Fprintf(&log, "Tag=%s,0.000,%.3f,%.3f,", each.tag, float64(r.wall)/1e9, float64(each.h.max)/1e6)
			log.WriteString(each.h.encode() + "\n")
		}
	}
	err := os.WriteFile(r.Log, log.Bytes(), 0o666)
	if err != nil {
		os.Remove(r.Log)
	}
	return err
}

// encode returns the histogram in base64.
func (h *Histogram) encode() string {
	counts := h.encodeCounts()
	var plain bytes.Buffer
	for _, each := range []any{uint32(plainCookie), uint32(len(counts)), uint32(0), uint32(2), uint64(1),
		uint64(highestLogged), float64(1)} {
		binary.Write(&plain, binary.BigEndian, each)
	}
	plain.Write(counts)
	var packed bytes.Buffer
	packer := zlib.NewWriter(&packed)
	packer.Write(plain.Bytes())
	packer.Close()
	out := binary.BigEndian.AppendUint32(nil, compressedCookie)
	out = binary.BigEndian.AppendUint32(out, uint32(packed.Len()))
	return base64.StdEncoding.EncodeToString(append(out, packed.Bytes()...))
}

// encodeCounts returns the counts of the buckets in order; a run of empty ones is one negative number.
func (h *Histogram) encodeCounts() (out []byte) {
	empty := int64(0)
	for _, n := range h.counts {
		if n == 0 {
			empty++
			continue
		}
		if empty == 1 {
			out = appendNumber(out, 0)
		} else if empty > 1 {
			out = appendNumber(out, -empty)
		}
		empty = 0
		out = appendNumber(out, int64(n))
	}
	return out
}

// appendNumber adds a number as ZigZag LEB128: seven bits a byte, and all eight of a ninth.
func appendNumber(out []byte, number int64) []byte {
	rest := uint64(number)<<1 ^ uint64(number>>63)
	for range 8 {
		if rest < 0x80 {
			return append(out, byte(rest))
		}
		out = append(out, byte(rest)|0x80)
		rest >>= 7
	}
	return append(out, byte(rest))
}
