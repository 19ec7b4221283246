{{- define "hmp-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of all objects. What is added to it, "-exporter" of a dashboard for example, has to fit into 63 letters too. */}}
{{- define "hmp-exporter.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" }}
{{- else if contains (include "hmp-exporter.name" .) .Release.Name }}
{{- .Release.Name | trunc 45 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "hmp-exporter.name" .) | trunc 45 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "hmp-exporter.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "hmp-exporter.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "hmp-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "hmp-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "hmp-exporter.labels" -}}
{{ include "hmp-exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The name, the namespace and the labels of an object: a dict of root, and of suffix and labels if it has any. */}}
{{- define "hmp-exporter.metadata" -}}
name: {{ include "hmp-exporter.fullname" .root }}{{ .suffix }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "hmp-exporter.labels" .root | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "hmp-exporter.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{/* How Prometheus reaches the port: of a ServiceMonitor's or a PodMonitor's endpoint, or of a ScrapeConfig. */}}
{{- define "hmp-exporter.scraping" -}}
scrapeTimeout: {{ .scrapeTimeout }}
{{- with .tlsConfig }}
tlsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .basicAuth }}
basicAuth:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "hmp-exporter.endpoint" -}}
- port: http
  path: {{ .Values.web.telemetryPath }}
  scheme: {{ lower .Values.web.scheme }}
  interval: {{ .Values.serviceMonitor.interval }}
  {{- include "hmp-exporter.scraping" .Values.serviceMonitor | nindent 2 }}
  {{- with .Values.serviceMonitor.relabelings }}
  relabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* A file of the rules or the dashboards: a dict of root and path. It is not a template of Helm's, and has {{ }} of its own. */}}
{{- define "hmp-exporter.file" -}}
{{- $text := .root.Files.Get .path }}
{{- $text = replace "https://hmp-exporter.example/" .root.Values.prometheusRule.runbookPrefix $text }}
{{- replace "http://localhost:3000/" .root.Values.prometheusRule.dashboardPrefix $text }}
{{- end }}
