package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"runtime"
	"sort"
)

const mostReported = 1000

type cpuJSON struct {
	Process   int64 `json:"process"`
	Mutator   int64 `json:"mutator,omitempty"`
	Mark      int64 `json:"mark"`
	Assist    int64 `json:"assist"`
	Collector int64 `json:"collector"`
}

type memoryJSON struct {
	BaselineRSS   int64 `json:"baseline_rss"`
	PeakRSS       int64 `json:"peak_rss"`
	EndRSS        int64 `json:"end_rss"`
	SettledRSS    int64 `json:"settled_rss"`
	MinorFaults   int64 `json:"minor_faults"`
	MajorFaults   int64 `json:"major_faults"`
	LiveBytes     int64 `json:"live_bytes"`
	HeapBytes     int64 `json:"heap_bytes"`
	MetadataBytes int64 `json:"metadata_bytes"`
}

type reportJSON struct {
	Workload         string                    `json:"workload"`
	System           string                    `json:"system"`
	Version          string                    `json:"version"`
	Parameters       map[string]any            `json:"parameters"`
	Checksum         string                    `json:"checksum"`
	Operations       uint64                    `json:"operations"`
	WallNs           int64                     `json:"wall_ns"`
	CPU              cpuJSON                   `json:"cpu_ns"`
	AllocatedBytes   int64                     `json:"allocated_bytes"`
	AllocatedObjects int64                     `json:"allocated_objects"`
	FreedBytes       int64                     `json:"freed_bytes"`
	Cycles           int64                     `json:"cycles"`
	Service          *histogramJSON            `json:"service_ns,omitempty"`
	Response         *histogramJSON            `json:"response_ns,omitempty"`
	Stalls           map[string]*histogramJSON `json:"stalls"`
	Pauses           []Pause                   `json:"pauses"`
	MMU              [][2]any                  `json:"mmu,omitempty"`
	Timeline         []moment                  `json:"timeline"`
	Marking          []Cycle                   `json:"marking,omitempty"`
	BeganNs          int64                     `json:"began_ns,omitempty"`
	Jitter           *histogramJSON            `json:"jitter_ns"`
	Memory           memoryJSON                `json:"memory"`
	WarmUp           []int64                   `json:"warm_up,omitempty"`
	Figures          map[string]float64        `json:"figures"`
}

// Report writes the run as one line of JSON, and its histograms into the file that was asked for.
func (r *Run) Report(out io.Writer) error {
	report := &reportJSON{
		Workload: r.Workload, System: "go", Version: runtime.Version(), Parameters: r.export(),
		Checksum: fmt.Sprintf("%016x", r.checksum), WallNs: r.wall,
		AllocatedBytes:   r.after.since(r.before, allocBytes),
		AllocatedObjects: r.after.since(r.before, allocObjects),
		FreedBytes:       r.after.since(r.before, freeBytes),
		Cycles:           r.after.since(r.before, cycleCount),
		CPU:              r.cpu(), Memory: r.memory(), Timeline: r.sampler.moments,
		Marking: r.sampler.cycles.cycles(), BeganNs: r.clock, Jitter: r.jitter.export(),
		WarmUp: r.warmUp, Figures: r.figures,
		Stalls: map[string]*histogramJSON{}, Pauses: []Pause{},
	}
	if report.WarmUp == nil {
		report.WarmUp = r.tenths()
	}
	stops := r.after.stopsSince(r.before)
	if stops.any() {
		report.Stalls["stop"] = stops.export()
	}
	r.mutatorsInto(report)
	if err := r.writeLog(stops); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(report)
}

// times returns the service and response times of all lanes.
func (r *Run) times() (service, response *Histogram) {
	service, response = new(Histogram), new(Histogram)
	for _, l := range r.lanes {
		service.Add(&l.service)
		response.Add(&l.response)
	}
	return service, response
}

func (r *Run) cpu() cpuJSON {
	assist := r.after.since(r.before, assistCPU)
	background := r.after.since(r.before, dedicatedCPU) + r.after.since(r.before, idleCPU)
	process := r.after.cpu - r.before.cpu
	collector := assist + background + r.after.since(r.before, pauseCPU) + r.after.since(r.before, scavengeCPU)
	return cpuJSON{Process: process, Mutator: max(process-collector, 0), Mark: background, Assist: assist,
		Collector: collector}
}

func (r *Run) memory() memoryJSON {
	last := r.after.numbers
	return memoryJSON{
		BaselineRSS: r.baseline, PeakRSS: r.peakRSS, EndRSS: r.endRSS, SettledRSS: r.heldRSS,
		MinorFaults: r.after.minorFaults - r.before.minorFaults, MajorFaults: r.after.majorFaults - r.before.majorFaults,
		LiveBytes: r.settled.numbers[liveBytes], HeapBytes: last[objectBytes] + last[unusedBytes] + last[freeSpans],
		MetadataBytes: last[otherBytes] + last[mspanBytes] + last[mcacheBytes],
	}
}

// mutatorsInto adds what the lanes recorded. Where none of them can tell a pause from its work, the pauses and the
// utilisation are those that the runtime itself reports: its stops, which hold up every mutator.
func (r *Run) mutatorsInto(report *reportJSON) {
	var each [][]Pause
	for _, l := range r.lanes {
		if l.pauses != nil {
			sort.Slice(l.pauses, func(a, b int) bool { return l.pauses[a].At < l.pauses[b].At })
			each = append(each, l.pauses)
		}
	}
	service, response := r.times()
	report.Operations = service.total
	report.Service, report.Response = service.export(), response.export()
	if each == nil {
		each = [][]Pause{r.sampler.cycles.stops}
	}
	report.Pauses = append(report.Pauses, r.sampler.cycles.stops...)
	for _, pauses := range each {
		if len(pauses) > 0 && pauses[0].Cause != "stop" {
			report.Pauses = append(report.Pauses, pauses...)
		}
	}
	sort.SliceStable(report.Pauses, func(a, b int) bool { return report.Pauses[a].Ns > report.Pauses[b].Ns })
	report.Pauses = report.Pauses[:min(len(report.Pauses), mostReported)]
	sort.SliceStable(report.Pauses, func(a, b int) bool { return report.Pauses[a].At < report.Pauses[b].At })
	for _, point := range mmuCurve(each, r.wall) {
		report.MMU = append(report.MMU, [2]any{int64(point[0]), math.Round(point[1]*1e6) / 1e6})
	}
}
