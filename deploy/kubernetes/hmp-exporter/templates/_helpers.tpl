{{- define "hmp-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of all objects. With a suffix, for example "-exporter" of a dashboard, it must fit into 63 letters. */}}
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

{{/* The name, the namespace and the labels of an object: a dict of root, and optionally suffix and labels. */}}
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

{{/* Scrape settings of a ServiceMonitor's endpoint or of a ScrapeConfig. `target` is a label of the exporter. */}}
{{- define "hmp-exporter.scraping" -}}
honorLabels: true
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

{{/* The beginning of all paths: "" or a path without a slash at its end. */}}
{{- define "hmp-exporter.prefix" -}}
{{- default (urlParse .Values.web.externalUrl).path .Values.web.routePrefix | trimSuffix "/" }}
{{- end }}

{{/* A linked file of the repository: a dict of root and path. It is not a template, but contains {{ }}. */}}
{{- define "hmp-exporter.file" -}}
{{- $text := .root.Files.Get .path }}
{{- if not (contains "\n" $text) }}
{{- fail (printf "%s of the chart is a symbolic link that was not followed: take the chart from a checkout of the repository, or from `helm package`" .path) }}
{{- end }}
{{- $text }}
{{- end }}

{{/* An expression with the changes of the values: a dict of root and expr. Labels of the values are in ALERTS too. */}}
{{- define "hmp-exporter.expr" -}}
{{- $values := .root.Values.prometheusRule }}
{{- $added := keys $values.alertLabels }}
{{- range $values.alerts }}
{{- $added = concat $added (keys (default dict .labels)) }}
{{- end }}
{{- $expr := .expr }}
{{- range $list, $more := dict "alertname, alertstate, severity" (without $added "severity" | uniq | sortAlpha) "instance, pod, container, endpoint, service, node" $values.replicaLabels }}
{{- $expr = replace $list (prepend $more $list | join ", ") $expr }}
{{- end }}
{{- $expr }}
{{- end }}

{{/* An alert with the changes of the values: a dict of root and rule. "" if it is off. */}}
{{- define "hmp-exporter.alert" -}}
{{- $values := .root.Values.prometheusRule }}
{{- $change := get $values.alerts .rule.alert | default dict }}
{{- $rule := mergeOverwrite (deepCopy .rule) (dict "labels" (deepCopy $values.alertLabels)) }}
{{- range $old, $new := $change.replace }}
{{- if not (contains $old $rule.expr) }}
{{- fail (printf "prometheusRule.alerts.%s.replace: the expression has no %q: %s" $rule.alert $old $rule.expr) }}
{{- end }}
{{- $_ := set $rule "expr" (replace $old $new $rule.expr) }}
{{- end }}
{{- $annotations := $rule.annotations }}
{{- if $values.runbookPrefix }}
{{- $_ := set $annotations "runbook_url" (replace "https://hmp-exporter.example/" $values.runbookPrefix $annotations.runbook_url) }}
{{- else }}
{{- $own := printf "%s/runbook" (trimSuffix "/" .root.Values.web.externalUrl) }}
{{- $_ := set $annotations "runbook_url" (replace "https://hmp-exporter.example/docs/runbook.md" $own $annotations.runbook_url) }}
{{- end }}
{{- if $values.dashboardPrefix }}
{{- $_ := set $annotations "dashboard_url" (replace "http://localhost:3000/" $values.dashboardPrefix $annotations.dashboard_url) }}
{{- else }}
{{- $_ := unset $annotations "dashboard_url" }}
{{- end }}
{{- if dig "enabled" true $change }}
{{- mergeOverwrite $rule (omit $change "enabled" "replace") | toYaml }}
{{- end }}
{{- end }}
