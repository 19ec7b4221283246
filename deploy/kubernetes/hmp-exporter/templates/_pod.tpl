{{/* The pods, of a Deployment or of a StatefulSet. */}}
{{- define "hmp-exporter.pod" -}}
metadata:
  labels:
    {{- include "hmp-exporter.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "hmp-exporter.serviceAccountName" . }}
  automountServiceAccountToken: false
  # Service links would be variables HMP_EXPORTER_…, as flags are.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- $context := .Values.podSecurityContext }}
  {{- if and (.Capabilities.APIVersions.Has "security.openshift.io/v1") (eq 65534 (int $context.fsGroup)) }}
  {{- $context = omit $context "fsGroup" }}
  {{- end }}
  {{- with $context }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- $ofPods := dict "labelSelector" (dict "matchLabels" (include "hmp-exporter.selectorLabels" $ | fromYaml)) }}
    {{- range . }}
    {{- /* merge is deep: it would extend an existing labelSelector. */}}
    - {{- toYaml (merge (dict) . (hasKey . "labelSelector" | ternary (dict) $ofPods)) | nindent 6 }}
    {{- end }}
  {{- end }}
  {{- with .Values.hostAliases }}
  hostAliases:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.dnsConfig }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    {{- include "hmp-exporter.container" . | nindent 4 }}
  {{- if or .Values.extraVolumes (include "hmp-exporter.sources" .) }}
  volumes:
    {{- with include "hmp-exporter.sources" . }}
    - name: config
      projected:
        defaultMode: 0440
        sources:
          {{- . | nindent 10 }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end }}

{{- define "hmp-exporter.container" -}}
- name: exporter
  image: {{ include "hmp-exporter.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    {{- include "hmp-exporter.args" . | nindent 4 }}
  {{- if or .Values.environment.url .Values.extraEnv }}
  env:
    {{- with .Values.environment }}
    {{- range $name, $value := dict "HMP_URL" .url "HMP_TOKEN_FILE" .tokenFile "HMP_API_KEY_FILE" .apiKeyFile "HMP_API_SECRET_FILE" .apiSecretFile }}
    {{- if $value }}
    - name: {{ $name }}
      value: {{ $value | quote }}
    {{- end }}
    {{- end }}
    {{- end }}
    {{- with .Values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  ports:
    - name: http
      containerPort: {{ .Values.web.port }}
  livenessProbe:
    {{- include "hmp-exporter.probe" (dict "path" (printf "%s/-/healthy" (include "hmp-exporter.prefix" .)) "probe" .Values.livenessProbe "web" .Values.web) | nindent 4 }}
  readinessProbe:
    {{- include "hmp-exporter.probe" (dict "path" (printf "%s/-/ready" (include "hmp-exporter.prefix" .)) "probe" .Values.readinessProbe "web" .Values.web) | nindent 4 }}
  {{- with .Values.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if or .Values.extraVolumeMounts (include "hmp-exporter.sources" .) }}
  volumeMounts:
    {{- if include "hmp-exporter.sources" . }}
    - name: config
      mountPath: /etc/hmp_exporter
      readOnly: true
    {{- end }}
    {{- with .Values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end }}

{{- define "hmp-exporter.args" -}}
- {{ ternary "demo" "serve" .Values.demo }}
- --config.auto-reload-interval={{ .Values.autoReloadInterval }}
- --web.listen-address=:{{ .Values.web.port }}
{{- with .Values.web.externalUrl }}
- --web.external-url={{ . }}
{{- end }}
{{- with .Values.web.routePrefix }}
- --web.route-prefix={{ . }}
{{- end }}
- --web.telemetry-path={{ .Values.web.telemetryPath }}
- --web.max-requests={{ .Values.web.maxRequests }}
{{- with .Values.web.configFile }}
- --web.config.file={{ . }}
{{- end }}
{{- if .Values.web.enableLifecycle }}
- --web.enable-lifecycle
{{- end }}
{{- if .Values.web.enablePprof }}
- --web.enable-pprof
{{- end }}
- --{{ ternary "" "no-" .Values.collector.sessions }}collector.sessions
- --timeout-offset={{ .Values.timeoutOffset }}
- --probe.max-concurrent={{ .Values.probe.maxConcurrent }}
- --log.level={{ .Values.log.level }}
- --log.format={{ .Values.log.format }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{/* With a web configuration the kubelet may get no answer. The program opens the port last, so an open port is enough. */}}
{{- define "hmp-exporter.probe" -}}
{{- if .web.configFile -}}
tcpSocket:
  port: http
{{- else -}}
httpGet:
  path: {{ .path }}
  port: http
{{- end }}
{{- with .probe }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The files at /etc/hmp_exporter. One volume, so that a key and its secret change at the same time. */}}
{{- define "hmp-exporter.sources" -}}
{{- if .Values.config }}
- configMap:
    name: {{ include "hmp-exporter.fullname" . }}
    items:
      - key: hmp.yml
        path: hmp.yml
{{- else if .Values.configSecret.name }}
- secret:
    name: {{ .Values.configSecret.name }}
    items:
      - key: {{ .Values.configSecret.key }}
        path: hmp.yml
{{- end }}
{{- with .Values.files }}
{{ toYaml . }}
{{- end }}
{{- end }}
