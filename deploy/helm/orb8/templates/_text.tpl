{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- define "orb8.selector" -}}
app.kubernetes.io/name: orb8
app.kubernetes.io/component: agent
{{- end }}

{{- define "orb8.labels" -}}
{{ include "orb8.selector" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* A setting as a variable holds it. YAML reads a bare on as true, and a number as a float. */ -}}
{{- define "orb8.setting" -}}
{{- if kindIs "bool" . }}{{ ternary "on" "off" . }}
{{- else if kindIs "float64" . }}{{ int64 . }}
{{- else if kindIs "slice" . }}{{ join "," . }}
{{- else }}{{ . }}
{{- end }}
{{- end }}
